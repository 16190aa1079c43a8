// What push, desktop and e-mail notifications show of a message: Rocket.Chat's rules
// (apps/meteor/app/markdown/lib/parser/filtered) in their order, in our own words.
//
// - An opening mark of bold, italics and struck text counts only at the start of a line or after a space, ">", "`" or
//   another of these marks; so `(**x**)` keeps its asterisks. A closing mark counts anywhere, and the mark behind it
//   opens nothing.
// - A label has no "]", an address no ")"; both may span lines. Other schemes than http and https stay as they are.
const RULES = [
  // Fences and code spans of one line.
  [/`{3}/g, ''],
  [/`([^`\r\n]+)`/g, '$1'],
  // [label](address), ![label](address) and <address|label>.
  [/!?\[([^\]]+)\]\(https?:\/\/[^)]+\)/g, '$1'],
  [/(?:<|&lt;)https?:\/\/[^|]+\|(.+?)(?:>|&gt;)/g, '$1'],
  // A heading: up to four "#" and one space; at least one more character that is not white space.
  [/^#{1,4} (?=\S)/gm, ''],
  // Bold, italics, struck text.
  [/(^|[ >_~`])\*{1,2}([^*\r\n]+)\*{1,2}([<_~`]?)/gm, '$1$2$3'],
  [/(^|[ >*~`])_{1,2}([^_\r\n]+)_{1,2}([<*~`]?)/gm, '$1$2$3'],
  [/(^|[ >_*`])~{1,2}([^~\r\n]+)~{1,2}([<_*`]?)/gm, '$1$2$3'],
  // Quotations.
  [/>{3}\n+([\s\S]*?)\n+<{3}/g, '$1'],
  [/^>/gm, ''],
];

export function notification(message) {
  return RULES.reduce((text, [mark, rest]) => text.replace(mark, rest), message);
}
