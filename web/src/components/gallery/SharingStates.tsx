'use client';

import type { ReactNode } from 'react';
import type { Sharing } from '@/data/api';
import type { SharingView } from '@/data/sharing';
import { KeptText } from '../KeptText';
import { HandOver } from '../share/HandOver';
import { ShareBody } from '../share/ShareSheet';
import { SignInPage, SignInStrip } from '../SignIn';
import { LONG_NAME } from './samples';
import { State } from './State';

const nothing = () => {};
const SHARING: Sharing = {
  link: 'view',
  role: 'owner',
  people: [
    { user: 'a', name: 'Ada Lovelace', color: 1, role: 'owner', by: 'owner' },
    { user: 'b', name: LONG_NAME, color: 5, role: 'editor', by: 'member' },
    { user: 'c', name: 'مريم', color: 9, role: 'commenter', by: 'member' },
    { user: 'd', name: 'Quiet Otter', color: 8, role: 'viewer', by: 'link' },
    { user: 'e', name: 'Bold Fox', color: 3, role: 'none', by: 'member' },
  ],
};
const view = (change: Partial<SharingView>): SharingView => ({
  phase: 'ready',
  sharing: SHARING,
  trouble: null,
  isChanging: () => false,
  setLink: nothing,
  setRole: nothing,
  remove: () => Promise.resolve(true),
  reload: nothing,
  ...change,
});
const alone: Sharing = { link: 'off', role: 'owner', people: SHARING.people.slice(0, 1) };
const member: Sharing = { ...SHARING, role: 'commenter', people: SHARING.people.slice(0, 4) };

function Panel({ name, children }: { name: string; children: ReactNode }) {
  return (
    <State name={name}>
      <div className="max-w-xl rounded-panel border border-line bg-raised p-6">{children}</div>
    </State>
  );
}

/** Sharing, lost rights and signing in, in every state. */
export function SharingStates() {
  const body = (change: Partial<SharingView>, me = 'a') => <ShareBody view={view(change)} me={me} onCopyLink={nothing} onLeft={nothing} />;
  return (
    <>
      <Panel name="the owner, with people">{body({})}</Panel>
      <Panel name="the owner, alone">{body({ sharing: alone })}</Panel>
      <Panel name="a guest's document, nobody else there">{body({ sharing: { ...alone, people: alone.people.map((one) => ({ ...one, user: 'g_a' })) } }, 'g_a')}</Panel>
      <Panel name="changes on their way">{body({ isChanging: (of) => of === 'link' || of === 'b' })}</Panel>
      <Panel name="a change refused">{body({ trouble: 'The server does not answer. Nothing was changed.' })}</Panel>
      <Panel name="somebody who may comment">{body({ sharing: member }, 'c')}</Panel>
      <Panel name="loading">{body({ phase: 'loading', sharing: null })}</Panel>
      <Panel name="no answer">{body({ phase: 'error', sharing: null, trouble: 'The server does not answer. Nothing was changed.' })}</Panel>
      <Panel name="handing over">
        <HandOver name={LONG_NAME} onCancel={nothing} onConfirm={nothing} />
      </Panel>
      <State name="text that was not sent">
        <KeptText label="Text that was not sent" tone="warn" title="This was not sent." detail="It is kept on this device." text={"Two lines of mine,\nwritten too late."} onCopy={nothing} />
      </State>
      <State name="signed out, with a text">
        <SignInStrip signedOut={{ url: 'https://login.example.com/' }} onRetry={nothing} />
      </State>
      <State name="signed out">
        <SignInPage heading="h2" signedOut={{ url: 'https://login.example.com/' }} onRetry={nothing} />
      </State>
      <State name="signed out, no place to sign in">
        <SignInPage heading="h2" signedOut={{ url: null }} onRetry={nothing} />
      </State>
    </>
  );
}
