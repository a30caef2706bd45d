import { scratchFolder } from '../support/children';
import { guarantees } from './open-stream-guarantees';

describe('open streams on the embedded store', () => {
  const folder = scratchFolder('streams');
  guarantees(() => ({ DATA_DIR: folder }));
});
