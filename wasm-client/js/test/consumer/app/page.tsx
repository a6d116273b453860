import { Chat } from './chat';
import { Editor } from './editor';
import { Notifications } from './notifications';
import { ShopDashboard } from './shop';

// Rendered for each request, as an ordinary application does it.
export const dynamic = 'force-dynamic';

export default function Page() {
  return (
    <main>
      <h1>A shared text</h1>
      <Editor id="00112233445566778899aabbccddeeff" />
      <Notifications />
      <Chat id="00112233445566778899aabbccddeeff" />
      <ShopDashboard />
    </main>
  );
}
