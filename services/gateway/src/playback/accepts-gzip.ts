/** Whether an Accept-Encoding header allows gzip (RFC 9110 12.5.3). */
export function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((coding) => {
    const [name = '', weight = ''] = coding.split(';');
    const isGzip = ['gzip', '*'].includes(name.trim().toLowerCase());
    return isGzip && !/^\s*q=0(\.0*)?\s*$/i.test(weight);
  });
}
