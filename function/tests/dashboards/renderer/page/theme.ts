// Grafana's dark theme, and the state of its application that components read.
import { createTheme } from '@grafana/data';
import { config } from '@grafana/runtime';

export const theme = createTheme({ colors: { mode: 'dark' } });

export function registerTheme() {
  Object.assign(config, { theme2: theme, theme: theme.v1, panels: {} });
  config.bootData ??= { user: {}, settings: {}, navTree: [] } as any;
  config.featureToggles ??= {} as any;
}
