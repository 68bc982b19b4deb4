// SPDX-License-Identifier: Apache-2.0

package putrecords

import "net/http"

// refusesCBOR reports whether e is the answer of an endpoint that does not know
// CBOR. Some of these errors have other causes too; then JSON fails as well,
// and says which.
func (e *Error) refusesCBOR() bool {
	switch e.Code {
	case "UnknownOperationException", "SerializationException", "UnsupportedMediaType", "UnsupportedMediaTypeException":
		return true
	case CodeHTTP:
		// Kinesis answers an unknown content type with 404 and a bit of XML.
		switch e.Status {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable,
			http.StatusUnsupportedMediaType, http.StatusNotImplemented:
			return true
		}
	}
	return false
}
