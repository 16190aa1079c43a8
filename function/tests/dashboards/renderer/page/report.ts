// What the page tells the test: each query with the number of its series, each panel with its state, and errors.
export const report: { errors: string[]; queries: any[]; panels: () => any[] } = { errors: [], queries: [], panels: () => [] };

(window as any).REPORT = report;
window.addEventListener('error', ({ message }) => report.errors.push(message));
window.addEventListener('unhandledrejection', ({ reason }) => report.errors.push(String(reason?.message ?? reason)));
