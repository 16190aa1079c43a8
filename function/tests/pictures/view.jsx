// What a picture is taken of: messages as in a direct-message room of Rocket.Chat. Owns the drawing of the parser's
// tree. The styles are Fuselage's, with the few that the client's style sheet adds; the arrangement is that of the
// client, whose renderer of messages is not published as a package. Every mention is drawn as one of another user.
import {
  Avatar, Box, Message, MessageBody, MessageContainer, MessageDivider, MessageEmoji, MessageHeader, MessageHighlight,
  MessageLeftContainer, MessageName, MessageNameContainer, MessageRole, MessageRoles, MessageTimestamp,
  MessageUsername, PaletteStyleTag,
} from '@rocket.chat/fuselage';
import '@rocket.chat/fuselage/dist/fuselage.css';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';

/** Draws a picture: `{ theme, day, account, messages: [{ name, time, tree }] }`. */
export function show(picture) {
  flushSync(() => createRoot(document.getElementById('root')).render(<Room {...picture} />));
}

function Room({ theme, day, account, messages }) {
  return (
    <Box
      id='picture' width='x720' paddingBlock='x12' backgroundColor='surface-room' fontFamily='sans' fontScale='p2'
      borderWidth='default' borderStyle='solid' borderColor='stroke-light' borderRadius='large' overflow='hidden'
    >
      <PaletteStyleTag theme={theme} />
      {day && <MessageDivider>{day}</MessageDivider>}
      {messages.map((message) => <Entry key={message.name} account={account} {...message} />)}
    </Box>
  );
}

function Entry({ account, time, tree }) {
  return (
    <Message>
      <MessageLeftContainer>
        <Avatar size='x36' url={avatar(account.username)} alt='' />
      </MessageLeftContainer>
      <MessageContainer>
        <MessageHeader>
          <MessageNameContainer>
            <MessageName>{account.name}</MessageName> <MessageUsername>@{account.username}</MessageUsername>
          </MessageNameContainer>
          <MessageRoles>
            <MessageRole>{account.role}</MessageRole>
          </MessageRoles>
          <MessageTimestamp>{time}</MessageTimestamp>
        </MessageHeader>
        <MessageBody>
          {/* One pixel more than the client has, because the body cuts off the border of code when its height is rounded down. */}
          <Box withRichContent='inlineWithoutBreaks' paddingBlockEnd='x1' data-tree>{nodes(tree)}</Box>
        </MessageBody>
      </MessageContainer>
    </Message>
  );
}

const nodes = (value) => [value].flat().map((node, index) => <Node key={index} {...node} />);

function Node({ type, value, unicode }) {
  switch (type) {
    case 'PARAGRAPH':
      return <div>{nodes(value)}</div>;
    case 'LINE_BREAK':
      return <br />;
    case 'PLAIN_TEXT':
      return value;
    case 'BOLD':
      return <strong>{nodes(value)}</strong>;
    case 'ITALIC':
      return <em>{nodes(value)}</em>;
    case 'INLINE_CODE':
      // Fuselage gives the border a width and a colour, and the client's style sheet makes it solid.
      return <Box is='code' borderStyle='solid'>{nodes(value)}</Box>;
    case 'LINK':
      return <a href={value.src.value}>{nodes(value.label)}</a>;
    case 'MENTION_USER':
      return <MessageHighlight variant='other'>@{nodes(value)}</MessageHighlight>;
    case 'EMOJI':
      return <MessageEmoji name='' style={EMOJI}>{unicode}</MessageEmoji>;
    default:
      throw new Error(`cannot show a node of type ${type}`);
  }
}

/** What the client's style sheet (app/emoji-native/client/native-emoji.css) adds to emoji, with the font of Linux. */
const EMOJI = {
  fontFamily: "'Noto Color Emoji', sans-serif",
  fontSize: '1.375rem',
  fontWeight: 400,
  lineHeight: 1,
  display: 'inline',
  verticalAlign: 'middle',
};

/** The avatar of an account without an image: its first letter, in one of six colours that the length of its name selects. */
function avatar(username) {
  const colors = ['#158D65', '#7F1B9F', '#B68D00', '#E26D0E', '#10529E', '#6C727A'];
  const letter = username[0].toUpperCase();
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">
    <rect width="200" height="200" fill="${colors[username.length % colors.length]}"/>
    <text x="50%" y="50%" dy="0.36em" text-anchor="middle" fill="#ffffff" font-family="Helvetica, Arial, sans-serif" font-size="125">${letter}</text>
  </svg>`)}`;
}
