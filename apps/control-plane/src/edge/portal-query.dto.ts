import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import { DEFAULT_TENANT } from './principal';
import { PageQuery } from './page.dto';

const TENANT_ID = {
  type: String,
  description: `For the owner: for which tenant; absent: \`${DEFAULT_TENANT}\`. An API key names its own.`,
};

/** What every operation of the portal may be asked with. AdminGuard has checked it before. */
export class PortalQuery {
  @ApiPropertyOptional(TENANT_ID)
  @IsOptional()
  @IsString()
  tenant_id?: string;
}

/** The same, for lists. */
export class PortalPageQuery extends PageQuery {
  @ApiPropertyOptional(TENANT_ID)
  @IsOptional()
  @IsString()
  tenant_id?: string;
}
