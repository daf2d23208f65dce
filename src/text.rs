//! Strings and bytes across the boundary, with as few copies and calls as there can be.

use bytes::Bytes;
use bytestring::ByteString;
use napi::{Env, Error, JsString, Result, Status, sys};

/// A JavaScript value, as Node-API names it.
pub type Value = sys::napi_value;

fn check(status: sys::napi_status) -> Result<()> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        status => Err(Error::new(status, "unexpected value")),
    }
}

/// The UTF-8 text of a JavaScript string. Lone surrogates become U+FFFD: who cannot do with that has to look before.
pub fn read(env: sys::napi_env, value: Value) -> Result<ByteString> {
    let mut bytes = Vec::new();
    append(env, value, &mut bytes)?;
    ByteString::try_from(Bytes::from(bytes))
        .map_err(|_| Error::new(Status::StringExpected, "no UTF-8"))
}

/// Appends the UTF-8 text of a JavaScript string.
pub fn append(env: sys::napi_env, value: Value, bytes: &mut Vec<u8>) -> Result<()> {
    let mut length = 0;
    // SAFETY: a null buffer asks for the length only.
    check(unsafe {
        sys::napi_get_value_string_utf8(env, value, std::ptr::null_mut(), 0, &mut length)
    })?;
    let mut units = 0;
    // SAFETY: as above.
    check(unsafe {
        sys::napi_get_value_string_latin1(env, value, std::ptr::null_mut(), 0, &mut units)
    })?;
    bytes.reserve(length + 1);
    let mut written = 0;
    // SAFETY: the buffer has room for the text and the final zero, and `written` more bytes of it are initialised afterwards.
    unsafe {
        let end = bytes.as_mut_ptr().add(bytes.len()).cast();
        // As many bytes as units: all of it is ASCII, and copying it is faster than encoding it.
        check(if units == length {
            sys::napi_get_value_string_latin1(env, value, end, length + 1, &mut written)
        } else {
            sys::napi_get_value_string_utf8(env, value, end, length + 1, &mut written)
        })?;
        bytes.set_len(bytes.len() + written.min(length));
    }
    Ok(())
}

/// The bytes of a Buffer or Uint8Array.
pub fn read_bytes(env: sys::napi_env, value: Value) -> Result<Bytes> {
    let mut data = std::ptr::null_mut();
    let mut length = 0;
    // SAFETY: a Buffer is a Uint8Array, and both are what napi_get_buffer_info takes.
    check(unsafe { sys::napi_get_buffer_info(env, value, &mut data, &mut length) })?;
    if length == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: JavaScript does not run while the bytes are copied.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) };
    Ok(Bytes::copy_from_slice(bytes))
}

/// An element of a JavaScript array.
pub fn element(env: sys::napi_env, array: Value, index: u32) -> Result<Value> {
    let mut value = std::ptr::null_mut();
    // SAFETY: `value` is only written to.
    check(unsafe { sys::napi_get_element(env, array, index, &mut value) })?;
    Ok(value)
}

/// A JavaScript string.
pub fn write<'env>(env: &'env Env, text: &str) -> Result<JsString<'env>> {
    if text.is_ascii() {
        env.create_string_latin1(text)
    } else {
        env.create_string(text)
    }
}

/// A Buffer with a copy of the bytes.
pub fn write_bytes(env: sys::napi_env, bytes: &[u8]) -> Result<Value> {
    let mut value = std::ptr::null_mut();
    // SAFETY: the bytes are copied, and `value` is only written to.
    check(unsafe {
        sys::napi_create_buffer_copy(
            env,
            bytes.len(),
            bytes.as_ptr().cast(),
            std::ptr::null_mut(),
            &mut value,
        )
    })?;
    Ok(value)
}

/// A JavaScript array of those values.
pub fn array(env: sys::napi_env, values: &[Value]) -> Result<Value> {
    let mut array = std::ptr::null_mut();
    // SAFETY: `array` is only written to.
    check(unsafe { sys::napi_create_array_with_length(env, values.len(), &mut array) })?;
    for (value, index) in values.iter().zip(0..) {
        // SAFETY: both are values of this environment.
        check(unsafe { sys::napi_set_element(env, array, index, *value) })?;
    }
    Ok(array)
}
