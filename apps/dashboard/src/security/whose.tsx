import { FilterSelect } from '../ui/field';

export type Whose = 'tenant' | 'all';

/** Of the chosen tenant, or of everybody: what is written down of a gateway belongs to more than one. */
export function WhoseFilter({ value, onChange }: { value: Whose; onChange: (value: Whose) => void }) {
  return (
    <FilterSelect
      label="Of whom"
      value={value}
      onChange={(chosen) => onChange(chosen as Whose)}
      options={[
        ['tenant', 'Of this tenant'],
        ['all', 'Of everybody'],
      ]}
    />
  );
}
