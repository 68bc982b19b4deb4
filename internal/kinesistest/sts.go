// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"fmt"
	"net/http"
	"net/url"
)

// Role is a role that may be assumed.
type Role struct {
	ARN string
	// ExternalID, when it is given, must be given to AssumeRole too.
	ExternalID string
	// WebIdentityToken, when it is given, may be exchanged for the role with
	// AssumeRoleWithWebIdentity.
	WebIdentityToken string
}

// SetRole makes a role known, or changes it.
func (s *Server) SetRole(r Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[r.ARN] = r
}

func (c *call) parseForm() error {
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return err
	}
	c.form = make(map[string]string, len(values))
	for name := range values {
		c.form[name] = values.Get(name)
	}
	c.op = c.form["Action"]
	c.role = c.form["RoleArn"]
	return nil
}

// sts carries out a request for STS.
func (s *Server) sts(c *call, r *http.Request, malformed error) answer {
	if malformed != nil {
		return s.refuse(c, refusal{status: 400, code: "MalformedQueryString"})
	}
	user, refused := s.authenticate(r, c.body, serviceSTS)
	if refused != nil {
		return s.refuse(c, *refused)
	}
	c.user = user
	return s.stsResult(c, fmt.Sprintf("<Arn>%s</Arn>\n    <UserId>%s</UserId>\n    <Account>%s</Account>",
		xmlText(user.ARN), xmlText(user.UserID), s.cfg.Account))
}

func (s *Server) stsResult(c *call, result string) answer {
	return answer{status: http.StatusOK, contentType: "text/xml", body: fmt.Appendf(nil,
		`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <%[1]sResult>
    %[2]s
  </%[1]sResult>
  <ResponseMetadata>
    <RequestId>%[3]s</RequestId>
  </ResponseMetadata>
</%[1]sResponse>
`, c.op, result, c.requestID)}
}
