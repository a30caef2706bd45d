// Before the first paint, so that a dark page does not flash white. A file of its own: the policy of the page lets no
// inline script run. The choice is all that is ever kept in this browser's storage.
try {
  const theme = localStorage.getItem('gatehouse-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's choice holds.
}
