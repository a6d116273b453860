// Document ids in addresses: `/d/<32 lower hex digits>`.

/** The id in a path like `/d/<id>`, or null when the path names none. */
export function documentIdFromPath(path: string): string | null {
  const found = /^\/d\/([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})\/?$/i.exec(path);
  return found?.[1] ? found[1].replaceAll('-', '').toLowerCase() : null;
}

export const documentPath = (id: string) => `/d/${id}`;
