/** Which client the hooks use: that of the nearest provider. */
import { createContext } from 'react';
import { createClient } from '../client.js';
import { ClientHolder } from './holder.js';

/** Without a provider: one client of the page's own server, made when first used. */
const ofThisPage = new ClientHolder(() => createClient(), false);
export const Context = createContext<ClientHolder>(ofThisPage);
