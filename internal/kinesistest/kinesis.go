// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"encoding/json"
	"net/http"
)

// kinesis carries out a request for Kinesis, in the order of the real one:
// content type, operation, syntax, signature, constraints.
func (s *Server) kinesis(c *call, r *http.Request, malformed error, seen *Call) answer {
	if c.contentType != typeJSON && (c.contentType != typeCBOR || s.cfg.RefuseCBOR) {
		return unknownOperation
	}
	op, known := operations[c.op]
	if !known && c.put == nil {
		return s.refuse(c, refusal{code: codeUnknownOperation})
	}
	if c.contentType == typeCBOR && c.put == nil {
		return unknownOperation // only PutRecords is spoken in CBOR here
	}
	if malformed != nil || c.put == nil && !json.Valid(c.body) {
		return s.refuse(c, refusal{code: codeSerialization})
	}
	if s.cfg.SkipSignatures {
		c.user = s.Credentials()
	} else {
		user, refused := s.authenticate(r, c.body, serviceKinesis)
		if refused != nil {
			return s.refuse(c, *refused)
		}
		c.user = user
	}
	if c.put != nil {
		return s.putRecords(c, seen)
	}
	out, err := op(s, c)
	if err != nil {
		if refused, ok := err.(refusal); ok {
			return s.refuse(c, refused)
		}
		return s.refuse(c, refusal{code: codeSerialization})
	}
	a := answer{status: http.StatusOK, contentType: typeJSON}
	if out != nil {
		a.body = must(json.Marshal(out))
	}
	return a
}

// operations are those beside PutRecords.
var operations = map[string]func(s *Server, c *call) (any, error){}
