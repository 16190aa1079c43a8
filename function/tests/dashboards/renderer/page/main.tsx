// The page that shows one dashboard. Owns the order in which Grafana's parts are registered; what is shown is in
// `window.INPUT`, and what happened is in `window.REPORT`.
import { EventBusSrv, ThemeContext } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { setAppEvents } from '@grafana/runtime';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { MemoryRouter } from 'react-router-dom';

import { registerDataSource } from './datasource';
import { registerPanels } from './panels';
import { registerFieldOptions, registerTransformations } from './registries';
import { report } from './report';
import { scene } from './scene';
import { registerTheme, theme } from './theme';

class Reported extends React.Component<any, any> {
  state = { failed: false };

  static getDerivedStateFromError = () => ({ failed: true });

  componentDidCatch(error: Error) {
    report.errors.push(error.message);
  }

  render() {
    return this.state.failed ? null : this.props.children;
  }
}

async function show() {
  const { dashboard, range } = (window as any).INPUT;
  registerTheme();
  registerFieldOptions();
  registerTransformations();
  registerPanels();
  registerDataSource();
  setAppEvents(new EventBusSrv() as any);
  await initPluginTranslations('dashboards');
  const shown = scene(dashboard, range);
  createRoot(document.getElementById('root')!).render(
    <Reported>
      <MemoryRouter>
        <ThemeContext.Provider value={theme}>
          <GlobalStyles />
          <div className="dashboard" style={{ background: theme.colors.background.canvas, color: theme.colors.text.primary }}>
            <h1>{dashboard.title}</h1>
            <shown.Component model={shown} />
          </div>
          <PortalContainer />
        </ThemeContext.Provider>
      </MemoryRouter>
    </Reported>,
  );
}

show().catch((error) => report.errors.push(error.message));
