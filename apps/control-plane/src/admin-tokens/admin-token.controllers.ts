import { AdminTokensController } from './admin-tokens.controller';
import { WhoAmIController } from './who-am-i.controller';

export const ADMIN_TOKEN_CONTROLLERS = [WhoAmIController, AdminTokensController];
