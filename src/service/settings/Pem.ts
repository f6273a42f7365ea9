/** PEM files, as OpenSSL reads them. */

/** The certificates in a PEM file, each as a PEM text of its own. */
export const certificatesIn = (text: string): ReadonlyArray<string> =>
  text.split(/(?=-----BEGIN )/).filter((block) => /^-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(block))
