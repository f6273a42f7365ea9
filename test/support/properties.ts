/**
 * Makes the values of properties as long as their tests say. By default fast-check makes at most ten items, whatever the
 * `maxLength`, so that no map becomes large, and no text comes in many pieces.
 */
import * as fc from "fast-check"

fc.configureGlobal({ ...fc.readConfigureGlobal(), defaultSizeToMaxWhenMaxSpecified: true })
