import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { globalId, newId, NO_ID, parseGlobalId, uuidOf } from '../../src/kernel/id.js';

test('an id has its prefix and 26 characters, and reads back', () => {
  expect(globalId('License', '01890a5d-ac96-774b-bcce-b302099a8057')).toBe('lic_01h455vb4pex5vsknk084sn02q');
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(parseGlobalId(globalId('Grant', uuid))).toEqual({ type: 'Grant', uuid });
    }),
  );
});

test.each([
  '',
  'lic',
  'lic_',
  'lic_01h455vb4pex5vsknk084sn02',
  'lic_01h455vb4pex5vsknk084sn02qq',
  'lic_81h455vb4pex5vsknk084sn02q',
  'lic_01h455vb4pex5vsknk084sn02l',
  'LIC_01h455vb4pex5vsknk084sn02q',
  'lic_01H455VB4PEX5VSKNK084SN02Q',
  'xyz_01h455vb4pex5vsknk084sn02q',
  ' lic_01h455vb4pex5vsknk084sn02q',
  'lic_01h455vb4pex5vsknk084sn02q\n',
  '01890a5d-ac96-774b-bcce-b302099a8057',
])('%j is no id', (id) => {
  expect(parseGlobalId(id)).toBeNull();
  expect(uuidOf('License', id)).toBe(NO_ID);
});

test("another type's id is nobody's", () => {
  expect(uuidOf('Customer', 'lic_01h455vb4pex5vsknk084sn02q')).toBe(NO_ID);
});

test('new ids rise, also within one millisecond', () => {
  const ids = Array.from({ length: 5_000 }, newId);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(5_000);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
