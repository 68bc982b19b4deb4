// SPDX-License-Identifier: Apache-2.0

package putrecords

func errorAsJSON(b []byte) []byte { return b }

// refusesCBOR reports whether the error is that of an endpoint that does not
// know the content type.
func (e *Error) refusesCBOR() bool {
	switch e.Code {
	case "UnknownOperationException", "SerializationException", "UnsupportedMediaType", "UnsupportedMediaTypeException":
		return true
	}
	return e.Status == 415
}
