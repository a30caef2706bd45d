import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitepress';

const DOCS = new URL('..', import.meta.url);

/** Pages that are there, so that the menu has none that is not. */
const pages = (folder, ...first) => {
  const names = readdirSync(new URL(`${folder}/`, DOCS))
    .filter((name) => name.endsWith('.md') && name !== 'index.md')
    .map((name) => name.slice(0, -3));
  const ordered = [
    ...first.filter((name) => names.includes(name)),
    ...names.filter((name) => !first.includes(name)),
  ];
  return ordered.map((name) => ({ text: titleOf(name), link: `/${folder}/${name}` }));
};
const NAMES = { jwt: 'JWT', tls: 'HTTPS and HTTP/2', cli: 'Command line', api: 'API', gaas: 'GaaS Gateway', tentagate: 'TentaGate', flexmon: 'FlexMON Regional Gateway', traefik: 'Traefik with JWT', 'secure-api-gateway': 'Secure API Gateway' }; // prettier-ignore
const titleOf = (name) => NAMES[name] ?? name[0].toUpperCase() + name.slice(1).replaceAll('-', ' ');

export default defineConfig({
  title: 'Gatehouse',
  description: 'A multi-tenant API gateway',
  lang: 'en',
  cleanUrls: true,
  srcExclude: ['node_modules/**'],
  outDir: '../docs-site',
  cacheDir: 'node_modules/.vitepress',
  // Links to files of the repository, which are not pages: test/docs.spec.ts looks at all links.
  ignoreDeadLinks: [/\.\.\/(?!adr|guide|policies|migrate|reference|operations)/, /^\/?schema\//],
  // Nothing is fetched from elsewhere: the site works without a network.
  head: [],
  // What looks like an element in a text is a text.
  markdown: { html: false },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Quick start', link: '/guide/quick-start' },
      { text: 'Policies', link: '/policies/keys' },
      { text: 'Reference', link: '/reference/settings' },
      { text: 'Operations', link: '/operations/' },
    ],
    sidebar: [
      { text: 'Guide', items: pages('guide', 'quick-start', 'concepts', 'dashboard') },
      {
        text: 'Policies',
        items: pages('policies', 'keys', 'routes', 'jwt', 'tokens', 'limits', 'usage-and-billing'),
      },
      { text: 'Coming from', collapsed: true, items: pages('migrate') },
      { text: 'Operations', items: [{ text: 'Overview', link: '/operations/' }, ...pages('operations')] },
      {
        text: 'Reference',
        items: [
          ...pages('reference', 'settings', 'errors', 'metrics', 'api'),
          { text: 'Signatures, byte by byte', link: '/signatures' },
          { text: 'What clients get when something breaks', link: '/faults' },
          { text: 'Scaling', link: '/scaling' },
          { text: 'Decisions', link: '/adr/' },
        ],
      },
    ],
  },
});
