// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// InstanceMetadata is the part of EC2's instance metadata service, version 2,
// that credentials need. The SDK is led to it by
// AWS_EC2_METADATA_SERVICE_ENDPOINT. Serve it on loopback, with httptest.
// Source: EC2 User Guide, "Instance metadata".
type InstanceMetadata struct {
	Role   string // name of the instance's role
	Region string
	// Credentials gives the role's; it is asked each time. An error is answered
	// as a 500.
	Credentials func() (Credentials, error)

	mu     sync.Mutex
	tokens map[string]time.Time
}

const (
	metadataTTL   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	metadataToken = "X-Aws-Ec2-Metadata-Token"
)

func (m *InstanceMetadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/latest/api/token" {
		m.issueToken(w, r)
		return
	}
	switch {
	case !m.knows(r.Header.Get(metadataToken)):
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	case r.Method != http.MethodGet:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	const role = "/latest/meta-data/iam/security-credentials/"
	switch r.URL.Path {
	case role, strings.TrimSuffix(role, "/"):
		writeText(w, m.Role)
	case role + m.Role:
		creds, err := m.Credentials()
		if err != nil {
			http.Error(w, "Internal Server Error", http.StatusInternalServerError)
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{
			"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": time.Now().UTC().Format(time.RFC3339),
			"AccessKeyId": creds.AccessKeyID, "SecretAccessKey": creds.SecretAccessKey,
			"Token": creds.SessionToken, "Expiration": expiration(creds),
		})
	case "/latest/meta-data/placement/region":
		writeText(w, m.Region)
	case "/latest/dynamic/instance-identity/document":
		writeJSON(w, http.StatusOK, map[string]string{"region": m.Region, "instanceId": "i-0123456789abcdef0", "version": "2017-09-30"})
	default:
		http.Error(w, "Not Found", http.StatusNotFound)
	}
}

func (m *InstanceMetadata) issueToken(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.Header.Get(metadataTTL))
	switch {
	case r.Method != http.MethodPut:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	case err != nil || seconds < 1 || seconds > 21600:
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	token := randomText(54, base64Alphabet) + "=="
	m.mu.Lock()
	if m.tokens == nil {
		m.tokens = make(map[string]time.Time)
	}
	m.tokens[token] = time.Now().Add(time.Duration(seconds) * time.Second)
	m.mu.Unlock()
	w.Header().Set(metadataTTL, strconv.Itoa(seconds))
	writeText(w, token)
}

func (m *InstanceMetadata) knows(token string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.tokens[token]
	return ok && time.Now().Before(until)
}

// ContainerCredentials is the credentials endpoint of an ECS task or of EKS Pod
// Identity. The SDK is led to it by AWS_CONTAINER_CREDENTIALS_FULL_URI, and to
// the token by AWS_CONTAINER_AUTHORIZATION_TOKEN or …_TOKEN_FILE. Serve it on
// loopback, with httptest.
type ContainerCredentials struct {
	// Token is the value of Authorization that a request must have.
	Token string
	// RoleARN and AccountID are added to the answer when they are given: ECS
	// sends the first, EKS the second.
	RoleARN, AccountID string
	// Credentials gives those of the container; it is asked each time. An error
	// is answered as a 500.
	Credentials func() (Credentials, error)
}

func (h *ContainerCredentials) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	if r.Header.Get("Authorization") != h.Token {
		writeJSON(w, http.StatusUnauthorized, map[string]string{
			"code": codeAccessDenied, "message": "Unauthorized Exception! EKS does not have permissions to assume the associated role."})
		return
	}
	creds, err := h.Credentials()
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]string{
			"code": "InternalServerException", "message": "An internal error occurred."})
		return
	}
	body := map[string]string{
		"AccessKeyId": creds.AccessKeyID, "SecretAccessKey": creds.SecretAccessKey,
		"Token": creds.SessionToken, "Expiration": expiration(creds),
	}
	if h.RoleARN != "" {
		body["RoleArn"] = h.RoleARN
	}
	if h.AccountID != "" {
		body["AccountId"] = h.AccountID
	}
	writeJSON(w, http.StatusOK, body)
}

// expiration is when credentials end; both endpoints only have such that do.
func expiration(c Credentials) string {
	if c.Expires.IsZero() {
		c.Expires = time.Now().Add(6 * time.Hour)
	}
	return c.Expires.UTC().Format(time.RFC3339)
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(text))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(must(json.Marshal(v)))
}
