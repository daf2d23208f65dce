'use strict';

/**
 * What every dictionary inherits: the methods that programs call on plain objects. They are functions, and no dictionary holds functions,
 * so `typeof dictionary[name]` tells a value from a method.
 */
const METHODS = Object.create(null);
for (const name of [
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
  'toString',
  'valueOf'
]) {
  Object.defineProperty(METHODS, name, {
    value: Reflect.get(Object.prototype, name),
    writable: true,
    configurable: true,
    enumerable: false
  });
}

/**
 * An object for which every name is an ordinary key, `__proto__` and `constructor` as well.
 * @returns {Record<string, any>}
 */
function dictionary() {
  return Object.create(METHODS);
}

module.exports = dictionary;
