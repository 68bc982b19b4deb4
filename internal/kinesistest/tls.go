// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// authority is a CA with the one certificate that it ever signs.
type authority struct {
	pool *x509.CertPool
	pem  []byte
	leaf tls.Certificate
}

// newAuthority makes a CA and a certificate for the loopback addresses and for
// the host names that the SDK derives from a region and an account.
func newAuthority(region, account string) (*authority, error) {
	// The clock of a synctest bubble begins in 2000.
	from, until := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the CA: %w", err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kinesistest CA"},
		NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("sign the CA: %w", err)
	}

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the server: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kinesistest"},
		NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		DNSNames: []string{
			"localhost", "kinesis.test", "sts.amazonaws.com",
			"kinesis." + region + ".amazonaws.com", "kinesis-fips." + region + ".amazonaws.com",
			"kinesis." + region + ".api.aws", "kinesis-fips." + region + ".api.aws",
			account + ".data-kinesis." + region + ".amazonaws.com", account + ".data-kinesis-fips." + region + ".amazonaws.com",
			account + ".data-kinesis." + region + ".api.aws", account + ".data-kinesis-fips." + region + ".api.aws",
			"sts." + region + ".amazonaws.com", "sts-fips." + region + ".amazonaws.com",
			"sts." + region + ".api.aws", "sts-fips." + region + ".api.aws",
		},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("sign the server's certificate: %w", err)
	}

	a := &authority{
		pool: x509.NewCertPool(),
		pem:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		leaf: tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key},
	}
	a.pool.AppendCertsFromPEM(a.pem)
	return a, nil
}
