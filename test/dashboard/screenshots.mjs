// `npm run dashboard:screenshots`: pictures of every page, dark and light and at 375 px, in screenshots/.
import { runInBrowser } from './run-in-browser.mjs';

await runInBrowser('./pictures.ts', 'takePictures');
