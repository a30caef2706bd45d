import { ADMIN_ROLES } from '#libs/admin-tokens';
import { CONFIG_KINDS } from '#libs/revisions';
import { WEBHOOK_EVENTS } from '#libs/webhooks';
import { ROLES } from './admin-tokens';
import { KINDS } from './revisions';
import { EVENTS } from './webhooks';

it('the words that commands offer are those that the gateway knows', () => {
  expect(ROLES).toEqual(ADMIN_ROLES);
  expect(KINDS).toEqual(CONFIG_KINDS);
  expect(EVENTS).toEqual(WEBHOOK_EVENTS.filter((name) => name !== 'webhook.test'));
});
