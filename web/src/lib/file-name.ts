/** A file name every system accepts, from a title people chose. */
export function fileName(title: string, extension: string): string {
  const clean = title
    .replace(/[\u0000-\u001f\u007f<>:"/\\|?*]+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .replace(/^[. ]+|[. ]+$/gu, '');
  const short = [...clean].slice(0, 80).join('').trim();
  const reserved = /^(con|prn|aux|nul|com\d|lpt\d)$/iu.test(short);
  return `${short && !reserved ? short : 'Untitled'}.${extension}`;
}
