// What a query reads. Owns the walk through the tree of Prometheus's own grammar for editors; what exists is in metrics.mjs.
import { parser } from '@prometheus-io/lezer-promql';

/** Durations and numbers that Grafana replaces; its other variables are inside of texts. */
const BUILT_IN = { $__rate_interval: '5m', $__interval: '1m', $__range_s: '3600', $__range: '1h' };

const replaced = (expr) => Object.entries(BUILT_IN).reduce((text, [name, value]) => text.replaceAll(name, value), expr);

/** The selectors of a query: `{ name, pattern, labels }`, of which `pattern` is a regular expression for the name. Fails if it does not parse. */
export function selectors(expr) {
  const text = replaced(expr);
  const found = [];
  const grouping = [];
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`expected PromQL, found a mistake after ${text.slice(0, node.from)}`);
      if (node.name === 'VectorSelector') found.push(selector(text, node.node));
      if (node.name === 'GroupingLabels') grouping.push(...node.node.getChildren('LabelName').map(({ from, to }) => text.slice(from, to)));
    },
  });
  return { found, grouping };
}

function selector(text, node) {
  const name = node.getChild('Identifier');
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  const parts = matchers.map((matcher) => text.slice(matcher.from, matcher.to).match(/^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/s).slice(1));
  const [, , pattern] = parts.find(([label]) => label === '__name__') ?? [];
  return { name: name ? text.slice(name.from, name.to) : undefined, pattern, labels: parts.map(([label]) => label).filter((label) => label !== '__name__') };
}
