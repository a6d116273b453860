// Whether the server knows who I am. Any answer tells: 401 says that it does not, and where to sign in if there is a place.
import { createStore, useStore } from './store';

/** Nobody is signed in here; `url` leads to where one can be, if the server names a place that a link may lead to. */
export interface SignedOut {
  url: string | null;
}

const signedOut = createStore<SignedOut | null>(null);

/** Only an address of the web: whatever else a server could be made to say is no link. */
function placeOf(text: string | undefined): string | null {
  try {
    const url = new URL(text ?? '', window.location.href);
    return text && /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** An answer of the API came in. */
export function heard(status: number, signInUrl?: string): void {
  if (status === 401) {
    const url = placeOf(signInUrl);
    if (signedOut.get()?.url !== url || !signedOut.get()) signedOut.set({ url });
  } else if (status >= 200 && status < 300) signedOut.set(null);
}

/** What to tell who is signed out; `null` while the server knows me, or has not been asked. */
export const useSignedOut = (): SignedOut | null => useStore(signedOut, null);
