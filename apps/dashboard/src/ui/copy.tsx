import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { IconButton } from './button';
import styles from './surface.module.css';

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      small
      label={copied ? 'Copied' : label}
      icon={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      onClick={() => void copy(text).then(() => setCopied(true))}
    />
  );
}

/** Text in a line with the means to take it away. */
export function Copyable({ text, label }: { text: string; label?: string }) {
  return (
    <span className={styles.copy}>
      <code className="break">{text}</code>
      <CopyButton text={text} label={label} />
    </span>
  );
}

/** What is shown once and never again. */
export function Secret({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles.secret}>
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}

/** The clipboard is closed to pages that came by plain HTTP from another machine: there the old way still works. */
async function copy(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
