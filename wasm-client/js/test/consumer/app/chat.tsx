'use client';

import { type ChatLine, mentionsIn, partsOf } from '@concord/client/chat';
import { useChat } from '@concord/client/chat/react';
import { type KeyboardEvent, useState } from 'react';

export function Chat({ id }: { id: string }) {
  const chat = useChat(id);
  const [text, setText] = useState('');
  const people = chat.lines.map((line) => line.author);

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    chat.send(text, { mentions: mentionsIn(text, people) });
    setText('');
  }

  return (
    <section aria-label={`Chat, ${chat.unread} unread`} onFocus={() => chat.markRead()}>
      {chat.hasMore && <button onClick={chat.loadMore}>Earlier messages</button>}
      <ol role="log">
        {chat.lines.map((line) => (
          <li key={line.id}>
            <b>{line.author.name}</b> {line.deleted ? 'Message deleted' : <Words line={line} />}
            {line.state === 'sending' && ' …'}
            {line.state === 'failed' && <button onClick={() => chat.retry(line.id)}>Not sent: try again</button>}
            {line.own && !line.deleted && <button onClick={() => chat.remove(line.id)}>Delete</button>}
          </li>
        ))}
      </ol>
      <p role="status">{chat.typing.map((person) => `${person.name} is typing`).join(', ')}</p>
      {chat.canWrite && (
        <textarea
          aria-label="Message"
          value={text}
          onKeyDown={onKeyDown}
          onChange={(event) => {
            setText(event.target.value);
            chat.setTyping(event.target.value !== '');
          }}
        />
      )}
    </section>
  );
}

function Words({ line }: { line: ChatLine }) {
  return partsOf(line.text, line.mentions).map((part, index) => {
    if (part.kind === 'link') return <a key={index} href={part.href} rel="noopener noreferrer">{part.text}</a>;
    if (part.kind === 'mention') return <strong key={index}>{part.text}</strong>;
    return part.text;
  });
}
