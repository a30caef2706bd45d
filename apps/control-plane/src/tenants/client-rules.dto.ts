import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsOptional, IsString } from 'class-validator';

/** How lists of addresses are documented. */
export const ADDRESSES = {
  type: [String] as [StringConstructor],
  maxItems: 10_000,
  example: ['10.0.0.0/8', '192.168.*', '2001:db8::/32'],
};

/** From where requests may come: the same for tenants and their routes. */
export class AddressRulesDto {
  @ApiPropertyOptional({ ...ADDRESSES, description: 'Absent: from anywhere.' })
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  ipAllow?: string[];

  @ApiPropertyOptional({ ...ADDRESSES, description: 'Refused, whatever is allowed.' })
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  ipDeny?: string[];
}
