import { Download, Upload } from 'lucide-react';
import { useState } from 'react';
import type { Restored } from '../api/types';
import { useMay } from '../session/may';
import { Button, buttonClass } from '../ui/button';
import { CheckField, FileField } from '../ui/field';
import { bytes, counted } from '../ui/format';
import { Notice } from '../ui/states';
import { Card, Page } from '../ui/surface';
import styles from './backup.module.css';
import { RestoreDialog, type Restoring } from './restore-dialog';

/** Everything that the gateway knows, as one file, and back. */
export function BackupPage() {
  const may = useMay();
  return (
    <Page title="Backup" lead="Everything that the gateway knows, as one file, and back">
      {may('Backup.take') && <TakeCard />}
      {may('Backup.restore') && <RestoreCard />}
    </Page>
  );
}

/** A link and no script: the browser writes the file as it comes, however large it is. */
function TakeCard() {
  return (
    <Card title="Take a backup">
      <div className={styles.stack}>
        <p className="soft">
          Tenants, services, routes, keys and tokens as their digests, plans, usage, statements and the audit
          log. It is taken while the gateway serves. Its last line tells a whole file from one that was cut
          off.
        </p>
        <Notice tone="warn">
          Secrets of identity providers, webhooks and signatures are in it as they are stored. Keep the file
          as you keep those.
        </Notice>
        <div>
          <a className={buttonClass('primary')} href="/admin/backup" download={fileName()}>
            <Download size={14} aria-hidden /> Download backup
          </a>
        </div>
      </div>
    </Card>
  );
}

const fileName = (): string => `gatehouse-${new Date().toISOString().slice(0, 10)}.ndjson`;

function RestoreCard() {
  const [file, setFile] = useState<File>();
  const [replace, setReplace] = useState(false);
  const [restoring, setRestoring] = useState<Restoring>();
  const [restored, setRestored] = useState<Restored>();
  return (
    <Card title="Restore a backup">
      <div className={styles.stack}>
        <p className="soft">
          The whole file is checked before anything is written. Keys and tokens that were revoked after it was
          taken work again.
        </p>
        <FileField
          label="Backup file"
          accept=".ndjson,application/x-ndjson"
          hint={file && `${file.name}, ${bytes(file.size)}`}
          onChange={setFile}
        />
        <CheckField
          label="Also over what is there: whatever is not in the backup is removed"
          checked={replace}
          onChange={setReplace}
        />
        {restored && (
          <Notice tone="good">
            Restored: {counted(restored.documents, 'document')},{' '}
            {counted(restored.indexes, 'index', 'indexes')}, {counted(restored.ledgers, 'ledger')}.
          </Notice>
        )}
        <div>
          <Button
            needs="Backup.restore"
            disabled={!file}
            icon={<Upload size={14} aria-hidden />}
            onClick={() => file && setRestoring({ file, replace })}
          >
            Restore
          </Button>
        </div>
      </div>
      {restoring && (
        <RestoreDialog of={restoring} onRestored={setRestored} onClose={() => setRestoring(undefined)} />
      )}
    </Card>
  );
}
