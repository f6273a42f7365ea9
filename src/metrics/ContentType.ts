/**
 * The content type of the metrics page (Prometheus' text format).
 *
 * @category constants
 * @since 0.2.0
 */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
