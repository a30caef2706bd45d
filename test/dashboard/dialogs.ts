import type { Locator, Page } from 'playwright-core';

/** The dialog that is open. */
export const dialog = (page: Page): Locator => page.locator('[role=dialog], [role=alertdialog]').last();

/** Fills in fields by their labels, in the dialog that is open. */
export async function fill(page: Page, values: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    await dialog(page).getByLabel(label, { exact: false }).first().fill(value);
  }
}

/** Presses a button of the open dialog and waits until it is closed. */
export async function finish(page: Page, button: string): Promise<void> {
  const open = dialog(page);
  const title = await open.getByRole('heading').first().innerText();
  // The last: the cross in the corner may be called the same.
  await open.getByRole('button', { name: button, exact: true }).last().click();
  await page.getByRole('heading', { name: title, exact: true, level: 2 }).waitFor({ state: 'detached' });
}

/** Opens the menu of a row and chooses from it. */
export async function choose(page: Page, row: string, item: string): Promise<void> {
  await page
    .getByRole('button', { name: `Actions for ${row}`, exact: true })
    .first()
    .click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

/** The secret that a dialog shows this once; closes it. */
export async function takeSecret(page: Page): Promise<string> {
  const secret = await dialog(page).locator('code').innerText();
  await finish(page, 'Done');
  return secret;
}

/** The row of a table that shows this text. */
export const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });

/** What the page told about something done. */
export const told = (page: Page, text: string): Promise<void> =>
  page.getByText(text, { exact: true }).first().waitFor();
