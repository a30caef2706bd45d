import type { Provider } from '@nestjs/common';
import type { Logger } from '#libs/logging';
import { TokenRepository } from '#libs/tokens';
import { JwksController } from './jwks.controller';
import { TokenCleanup } from './token-cleanup';
import { TokensController } from './tokens.controller';

export const TOKEN_CONTROLLERS = [TokensController, JwksController];

/** What issues service tokens, takes them back and forgets them. */
export function tokenProviders(tokens: TokenRepository, logger: Logger): Provider[] {
  return [
    { provide: TokenRepository, useValue: tokens },
    { provide: TokenCleanup, useValue: new TokenCleanup(tokens, logger) },
  ];
}
