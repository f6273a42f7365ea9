/** Values of Content-Type. */
import { isUtf8Line } from "./Utf8.ts"

const MEDIA_TYPE = /^[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+\/[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+[\t ]*(?:;|$)/

/** Whether text is a media type in one line (RFC 4975 §9). */
export const isMediaType = (text: string): boolean => MEDIA_TYPE.test(text) && isUtf8Line(text)
