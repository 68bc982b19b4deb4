// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// TestFailures breaks one thing after the other. Each must be told in exactly
// one sentence, hold back records where nobody could send them, and end by
// itself when it is mended.
func TestFailures(t *testing.T) {
	const (
		user     = "arn:aws:iam::111122223333:user/otel"
		logs     = "arn:aws:kinesis:us-east-1:111122223333:stream/logs"
		kmsKey   = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
		identity = "GetCallerIdentity"
	)
	tests := []struct {
		name string
		// set breaks something and gives what mends it. {HOME} in want is the
		// directory of the shared config files.
		set  func(t *testing.T, b *methodBench) (mend func())
		want string
		// open: what is broken is for Kinesis to judge, records are sent.
		open bool
	}{
		{
			name: "unknown key",
			set: func(_ *testing.T, b *methodBench) func() {
				c := b.srv.Credentials()
				withStatic(&b.o, b.srv)
				b.srv.RemoveCredentials(c.AccessKeyID)
				return func() { b.srv.SetCredentials(c) }
			},
			want: "the access key in `key` (it ends in \"0001\") does not exist or is not active (InvalidClientTokenId from STS): correct it",
		},
		{
			name: "unknown key of the environment",
			set: func(t *testing.T, b *methodBench) func() {
				c := b.srv.Credentials()
				t.Setenv("AWS_ACCESS_KEY_ID", c.AccessKeyID)
				t.Setenv("AWS_SECRET_ACCESS_KEY", c.SecretAccessKey)
				b.srv.RemoveCredentials(c.AccessKeyID)
				return func() { b.srv.SetCredentials(c) }
			},
			want: "the access key in AWS_ACCESS_KEY_ID (it ends in \"0001\") does not exist or is not active (InvalidClientTokenId from STS): correct it",
		},
		{
			name: "line end in the key",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Refuse("IncompleteSignature")})
			},
			want: "the access key in `key` (it ends in \"0001\") does not exist or is not active (IncompleteSignature from STS): correct it",
		},
		{
			name: "wrong secret",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				c := b.srv.Credentials()
				other := c
				other.SecretAccessKey = "SEKRIT"
				b.srv.SetCredentials(other)
				return func() { b.srv.SetCredentials(c) }
			},
			want: "the secret in `secret` does not belong to the access key (it ends in \"0001\") (SignatureDoesNotMatch from STS): correct it",
		},
		{
			name: "wrong secret in a profile",
			set: func(_ *testing.T, b *methodBench) func() {
				c := b.srv.Credentials()
				other := c
				other.SecretAccessKey = "SEKRIT"
				b.o.Profile = "shipper"
				writeCredentials(t, b.file, "shipper", other)
				return func() { writeCredentials(t, b.file, "shipper", c) }
			},
			want: "the secret in aws_secret_access_key of profile \"shipper\" does not belong to the access key (it ends in \"0001\") (SignatureDoesNotMatch from STS): correct it",
		},
		{
			name: "what AWS signed is not quoted",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Answer(403, "SomethingNew",
					"It does not fit AKIAIOSFODNN7EXAMPLE.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:TOKN'")})
			},
			want: "STS at sts.us-east-1.amazonaws.com answered SomethingNew: It does not fit (access key).",
		},
		{
			name: "session over",
			set: func(_ *testing.T, b *methodBench) func() {
				c := kinesistest.Credentials{AccessKeyID: "ASIASESSION000000001", SecretAccessKey: "SEKRIT", SessionToken: "TOKN", Expires: time.Now()}
				b.srv.SetCredentials(c)
				b.o.AccessKeyID, b.o.SecretAccessKey, b.o.SessionToken = c.Static()
				return func() { c.Expires = time.Time{}; b.srv.SetCredentials(c) }
			},
			want: "the session in `session` is over (ExpiredToken from STS): put in a new one with its `key` and `secret`, or use what renews itself: `profile` or a role",
		},
		{
			name: "session of a profile over",
			set: func(_ *testing.T, b *methodBench) func() {
				c := kinesistest.Credentials{AccessKeyID: "ASIASESSION000000001", SecretAccessKey: "SEKRIT", SessionToken: "TOKN", Expires: time.Now()}
				b.srv.SetCredentials(c)
				writeCredentials(t, b.file, "default", c)
				return func() { writeCredentials(t, b.file, "default", b.srv.Credentials()) }
			},
			want: "the session in aws_session_token of profile \"default\" is over (ExpiredToken from STS): renew it there, the file is read again",
		},
		{
			name: "identity denied",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Answer(403, "AccessDenied",
					"User: "+user+" is not authorized to perform: sts:GetCallerIdentity because no VPC endpoint policy allows the sts:GetCallerIdentity action")})
			},
			want: `the identity of static keys is not allowed sts:GetCallerIdentity on * (AccessDenied): add to its policy {"Sid":"STSIdentity","Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}`,
		},
		{
			name: "STS throttles",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Refuse("Throttling")})
			},
			want: "STS at sts.us-east-1.amazonaws.com answered Throttling: Rate exceeded",
		},
		{
			name: "STS is not active in the region",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Refuse("RegionDisabledException")})
			},
			want: "STS at sts.us-east-1.amazonaws.com answered RegionDisabledException: STS is not activated in this region for account:111122223333. Your account administrator can activate STS in this region using the IAM Console.",
		},
		{
			name: "STS cannot be reached",
			set: func(t *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				b.srv.Down()
				return func() { require.NoError(t, b.srv.Up()) }
			},
			want: "STS cannot be reached at sts.us-east-1.amazonaws.com (dial pipe pipe: connection refused): check the network, the proxy and `sts_endpoint`",
		},
		{
			name: "STS does not answer",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Hang()})
			},
			want: "STS cannot be reached at sts.us-east-1.amazonaws.com (no answer in time): check the network, the proxy and `sts_endpoint`",
		},
		{
			name: "a gateway answers for STS",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.HTML(http.StatusBadGateway)})
			},
			want: "STS cannot be reached at sts.us-east-1.amazonaws.com (it answered 502): check the network, the proxy and `sts_endpoint`",
		},
		{
			name: "clock behind",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				b.srv.SetClock(12 * time.Minute)
				return func() { b.srv.SetClock(0) }
			},
			want: "the clock of this machine is 12m0s behind AWS (SignatureDoesNotMatch): set it, for instance with NTP; AWS refuses requests that are signed more than 5 minutes off",
		},
		{
			name: "clock ahead",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				b.srv.SetClock(-3 * time.Hour)
				return func() { b.srv.SetClock(0) }
			},
			want: "the clock of this machine is 3h0m0s ahead of AWS (SignatureDoesNotMatch): set it, for instance with NTP; AWS refuses requests that are signed more than 5 minutes off",
		},
		{
			name: "no credentials",
			set: func(t *testing.T, b *methodBench) func() {
				return func() { writeCredentials(t, b.file, "default", b.srv.Credentials()) }
			},
			want: "no AWS credentials found; tried the environment (AWS_ACCESS_KEY_ID is not set), web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), " +
				"the shared config files ({HOME}/config, {HOME}/credentials), the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set) " +
				"and the instance role (dial tcp 127.0.0.1:1: connect: connection refused): provide one of them, or set `key` and `secret`",
		},
		{
			name: "instance without a role",
			set: func(t *testing.T, b *methodBench) func() {
				t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", b.imds)
				return func() { b.instance.srv.Store(b.srv) }
			},
			want: "no AWS credentials found; tried the environment (AWS_ACCESS_KEY_ID is not set), web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), " +
				"the shared config files ({HOME}/config, {HOME}/credentials), the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set) " +
				"and the instance role (the instance has no role): provide one of them, or set `key` and `secret`",
		},
		{
			name: "metadata service switched off",
			set: func(t *testing.T, b *methodBench) func() {
				t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
				return func() { writeCredentials(t, b.file, "default", b.srv.Credentials()) }
			},
			want: "no AWS credentials found; tried the environment (AWS_ACCESS_KEY_ID is not set), web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), " +
				"the shared config files ({HOME}/config, {HOME}/credentials), the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set) " +
				"and the instance role (switched off by AWS_EC2_METADATA_DISABLED): provide one of them, or set `key` and `secret`",
		},
		{
			name: "profile missing",
			set: func(t *testing.T, b *methodBench) func() {
				b.o.Profile = "shipper"
				return func() { writeCredentials(t, b.file, "shipper", b.srv.Credentials()) }
			},
			want: "the profile \"shipper\" of `profile` is in none of {HOME}/config, {HOME}/credentials: add it there, or name another; the files are read again until it is there",
		},
		{
			name: "AWS_PROFILE missing",
			set: func(t *testing.T, b *methodBench) func() {
				t.Setenv("AWS_PROFILE", "shipper")
				return func() { writeCredentials(t, b.file, "shipper", b.srv.Credentials()) }
			},
			want: "the profile \"shipper\" of AWS_PROFILE is in none of {HOME}/config, {HOME}/credentials: add it there, or name another; the files are read again until it is there",
		},
		{
			name: "credentials file is a directory",
			set: func(t *testing.T, b *methodBench) func() {
				require.NoError(t, os.Mkdir(b.file, 0o700))
				return func() {
					require.NoError(t, os.Remove(b.file))
					writeCredentials(t, b.file, "default", b.srv.Credentials())
				}
			},
			want: "{HOME}/credentials cannot be read as an AWS config file: mend it, it is read again",
		},
		{
			name: "profile with half a key",
			set: func(t *testing.T, b *methodBench) func() {
				b.o.Profile = "shipper"
				writeFile(t, b.file, "[shipper]\naws_access_key_id = AKIAHALFHALFHALFHALF\n")
				return func() { writeCredentials(t, b.file, "shipper", b.srv.Credentials()) }
			},
			want: "the AWS settings of the environment or of {HOME}/config, {HOME}/credentials cannot be used (error fetching config from profile, shipper, Error using profile: 2, partial credentials found for profile shipper): mend them, they are read again",
		},
		{
			name: "profile wants MFA",
			set: func(t *testing.T, b *methodBench) func() {
				b.o.Profile = "admin"
				writeFile(t, b.config, "[profile admin]\nrole_arn = "+writerARN+"\nsource_profile = base\nmfa_serial = arn:aws:iam::111122223333:mfa/otel\n")
				writeCredentials(t, b.file, "base", b.srv.Credentials())
				return func() { writeCredentials(t, b.config, "profile admin", b.srv.Credentials()) }
			},
			want: "the profile wants an MFA code (mfa_serial), which nobody can enter here: use a profile without",
		},
		{
			name: "process fails",
			set: func(t *testing.T, b *methodBench) func() {
				b.o.Profile = "vault"
				writeFile(t, b.config, "[profile vault]\ncredential_process = exit 3\n")
				return func() { writeCredentials(t, b.config, "profile vault", b.srv.Credentials()) }
			},
			want: "the process of profile \"vault\" gives no credentials (exit status 3): run its credential_process by hand, as the user of the collector",
		},
		{
			name: "process talks nonsense",
			set: func(t *testing.T, b *methodBench) func() {
				b.o.Profile = "vault"
				writeFile(t, b.config, "[profile vault]\ncredential_process = echo SEKRIT\n")
				return func() { writeCredentials(t, b.config, "profile vault", b.srv.Credentials()) }
			},
			want: "the process of profile \"vault\" gives no credentials (its output is not understood): run its credential_process by hand, as the user of the collector",
		},
		{
			name: "SSO session is over",
			set: func(t *testing.T, b *methodBench) func() {
				b.o.Profile = "sso"
				writeFile(t, b.config, "[profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = writer\n"+
					"[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example.com/start\n")
				return func() { writeCredentials(t, b.config, "profile sso", b.srv.Credentials()) }
			},
			want: "the SSO session of profile \"sso\" is over or not there: run `aws sso login` for that profile",
		},
		{
			name: "no token file",
			set: func(t *testing.T, b *methodBench) func() {
				b.srv.SetRole(kinesistest.Role{ARN: writerARN, WebIdentityToken: jwt})
				file := filepath.Join(filepath.Dir(b.config), "token")
				t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
				t.Setenv("AWS_ROLE_ARN", writerARN)
				return func() { writeFile(t, file, jwt) }
			},
			want: "the web identity token in {HOME}/token cannot be read (no such file or directory): it must be put there, for instance by the annotation of the service account",
		},
		{
			name: "token expired",
			set:  webIdentity("ExpiredTokenException"),
			want: "the web identity token in {HOME}/token is expired (ExpiredTokenException): it must be renewed by what writes the file",
		},
		{
			name: "token not accepted",
			set:  webIdentity("InvalidIdentityToken"),
			want: "the web identity token in {HOME}/token is not accepted by STS (InvalidIdentityToken: Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements): check the identity provider in IAM and its audience, sts.amazonaws.com",
		},
		{
			name: "role does not trust the token",
			set:  webIdentity("AccessDenied"),
			want: "the role of the web identity cannot be assumed (AccessDenied): let its trust policy allow sts:AssumeRoleWithWebIdentity to the identity provider, and check the namespace and name of the service account in it, and AWS_ROLE_ARN",
		},
		{
			name: "container refuses",
			set: func(t *testing.T, b *methodBench) func() {
				i := newIssuer(b.srv, time.Hour)
				i.broken.Store(true)
				t.Setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/0123")
				b.hosts["169.254.170.2:80"] = i.container("")
				return func() { i.broken.Store(false) }
			},
			want: "the container's credential endpoint http://169.254.170.2/v2/credentials/0123 gives no credentials (it answered 500, InternalServerException: An internal error occurred.): check the role of the task or pod, and its agent",
		},
		{
			name: "no container token",
			set: func(t *testing.T, b *methodBench) func() {
				file := filepath.Join(filepath.Dir(b.config), "pod-token")
				t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
				t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file)
				b.hosts["169.254.170.23:80"] = newIssuer(b.srv, time.Hour).container(jwt)
				return func() { writeFile(t, file, jwt) }
			},
			want: "the container's credential endpoint http://169.254.170.23/v1/credentials gives no credentials ({HOME}/pod-token cannot be read: no such file or directory): check the role of the task or pod, and its agent",
		},
		{
			name: "role unknown",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				b.o.RoleARN = writerARN
				return func() { b.srv.SetRole(kinesistest.Role{ARN: writerARN}) }
			},
			want: "the role " + writerARN + " cannot be assumed by " + user + " (AccessDenied): name that identity in the role's trust policy, allow it sts:AssumeRole on the role, and set `external_id` if the policy asks for one",
		},
		{
			name: "wrong external id",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				b.o.RoleARN, b.o.ExternalID = writerARN, "tenant-2"
				b.srv.SetRole(kinesistest.Role{ARN: writerARN, ExternalID: "tenant-1"})
				return func() { b.srv.SetRole(kinesistest.Role{ARN: writerARN, ExternalID: "tenant-2"}) }
			},
			want: "the role " + writerARN + " cannot be assumed by " + user + " (AccessDenied): name that identity in the role's trust policy, allow it sts:AssumeRole on the role, and check `external_id`",
		},
		{
			name: "unknown key for a role",
			set: func(_ *testing.T, b *methodBench) func() {
				c := b.srv.Credentials()
				withStatic(&b.o, b.srv)
				b.o.RoleARN = writerARN
				b.srv.SetRole(kinesistest.Role{ARN: writerARN})
				b.srv.RemoveCredentials(c.AccessKeyID)
				return func() { b.srv.SetCredentials(c) }
			},
			want: "the access key in `key` (it ends in \"0001\") does not exist or is not active (InvalidClientTokenId from STS): correct it",
		},
		{
			name: "session of an instance over",
			set: func(t *testing.T, b *methodBench) func() {
				t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", b.imds)
				b.instance.srv.Store(b.srv)
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Refuse("ExpiredToken")})
			},
			want: "the session in what the instance role gave is over (ExpiredToken from STS): new credentials are asked for",
		},
		{
			name: "session of a role over",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				b.o.RoleARN = writerARN
				b.srv.SetRole(kinesistest.Role{ARN: writerARN})
				return b.srv.Fail(kinesistest.Fault{Op: identity, Do: kinesistest.Refuse("ExpiredToken")})
			},
			want: "the session in what the assumed role " + writerARN + " gave is over (ExpiredToken from STS): new credentials are asked for",
		},
		{
			name: "no stream",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				b.srv.DeleteStream("logs")
				return func() { b.srv.CreateStream("logs", 1) }
			},
			want: "the stream \"logs\" does not exist in account 111122223333, region us-east-1 (ResourceNotFoundException): check `stream` and `region`, or create it; what waits is sent once it is there",
			open: true,
		},
		{
			name: "no permission",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse("AccessDeniedException")})
			},
			want: user + ` is not allowed kinesis:PutRecords on ` + logs + ` (AccessDeniedException): add to its policy {"Sid":"KinesisWrite","Effect":"Allow","Action":"kinesis:PutRecords","Resource":"` + logs + `"}`,
			open: true,
		},
		{
			name: "explicit deny",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Answer(400, "AccessDeniedException",
					"User: "+user+" is not authorized to perform: kinesis:PutRecords on resource: "+logs+" with an explicit deny in a service control policy")})
			},
			want: user + ` is denied kinesis:PutRecords on ` + logs + ` by a service control policy (AccessDeniedException): that deny must go, an allow does not outweigh it`,
			open: true,
		},
		{
			name: "KMS denied",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse("KMSAccessDeniedException")})
			},
			want: user + ` is not allowed to use the KMS key of the stream "logs" (KMSAccessDeniedException): add to its policy {"Sid":"KinesisEncrypt","Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"` + kmsKey + `"}, and let the key's policy allow it`,
			open: true,
		},
		{
			name: "KMS denied, key not named",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Answer(400, "KMSAccessDeniedException", "The ciphertext refers to a key you have no access to.")})
			},
			want: user + ` is not allowed to use the KMS key of the stream "logs" (KMSAccessDeniedException): add to its policy {"Sid":"KinesisEncrypt","Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"arn:aws:kms:us-east-1:111122223333:key/KEY_ID"}, and let the key's policy allow it`,
			open: true,
		},
		{
			name: "KMS key disabled",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse("KMSDisabledException")})
			},
			want: `the KMS key of the stream "logs" is disabled (KMSDisabledException): enable it`,
			open: true,
		},
		{
			name: "KMS key pending deletion",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse("KMSInvalidStateException")})
			},
			want: `the KMS key of the stream "logs" cannot be used (KMSInvalidStateException: ` + kmsKey + ` is pending deletion.)`,
			open: true,
		},
		{
			name: "Kinesis refuses the key",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse("UnrecognizedClientException")})
			},
			want: "the access key in `key` (it ends in \"0001\") does not exist or is not active (UnrecognizedClientException from Kinesis): correct it",
			open: true,
		},
		{
			name: "Kinesis fails",
			set: func(_ *testing.T, b *methodBench) func() {
				withStatic(&b.o, b.srv)
				return b.srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse("InternalFailure")})
			},
			want: "Kinesis at kinesis.us-east-1.amazonaws.com answered InternalFailure",
			open: true,
		},
	}
	documented := documentedReasons(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.True(t, slices.ContainsFunc(documented, func(r *regexp.Regexp) bool { return r.MatchString(tt.want) }),
				"docs/credentials.md does not say what to do about: %s", tt.want)
			config, file := cleanEnv(t)
			instance := &issuer{life: 6 * time.Hour}
			imds := startIMDS(t, instance)
			synctest.Test(t, func(t *testing.T) {
				mb := &methodBench{srv: newServer(t), instance: instance, imds: imds, config: config, file: file, hosts: map[string]http.Handler{}}
				mend := tt.set(t, mb)
				b := newBench(t, mb.srv, mb.o)
				for addr, h := range mb.hosts {
					b.net.hosts[addr] = serveMemory(t, h)
				}
				b.run()
				time.Sleep(3 * time.Minute)
				synctest.Wait()

				want := strings.ReplaceAll(tt.want, "{HOME}", filepath.Dir(config))
				said := b.said()
				require.NotEmpty(t, said)
				require.Equal(t, want, said[0])
				warned := b.logs.FilterMessage("AWS credentials or permissions are not in order.").All()
				require.Equal(t, map[string]any{"reason": want}, warned[0].ContextMap())
				if !strings.HasPrefix(tt.name, "clock") { // the SDK corrects that one itself
					require.Len(t, said, 1)
					require.Len(t, warned, 1)
					require.Equal(t, tt.open, b.ready())
				}

				mend()
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				said = b.said()
				require.Equal(t, []string{want, "ok"}, said)
				require.True(t, b.ready())
				require.NoError(t, b.put(t.Context(), b.client(), "r"))
				require.Equal(t, 1, mb.srv.Stream("logs").Len())
			})
		})
	}
}

// documentedReasons are the beginnings of sentences that the documentation
// explains, its placeholders being wildcards.
func documentedReasons(t *testing.T) []*regexp.Regexp {
	doc, err := os.ReadFile("../../docs/credentials.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(doc), "| reason begins with |")
	require.True(t, found)
	placeholder := regexp.MustCompile(`…|"x"|\b(ARN|CODE|FILE|HOST|IDENTITY)\b`)
	var reasons []*regexp.Regexp
	for _, row := range strings.Split(table, "\n")[2:] {
		if !strings.HasPrefix(row, "|") {
			break
		}
		cell := strings.ReplaceAll(strings.TrimSpace(strings.Split(row, "|")[1]), "ahead of / behind", "…")
		reasons = append(reasons, regexp.MustCompile("^"+placeholder.ReplaceAllLiteralString(regexp.QuoteMeta(cell), ".*")))
	}
	require.Greater(t, len(reasons), 20)
	return reasons
}

// webIdentity has STS refuse the token with the given code.
func webIdentity(code string) func(*testing.T, *methodBench) func() {
	return func(t *testing.T, b *methodBench) func() {
		b.srv.SetRole(kinesistest.Role{ARN: writerARN, WebIdentityToken: jwt})
		file := filepath.Join(filepath.Dir(b.config), "token")
		writeFile(t, file, jwt)
		t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
		t.Setenv("AWS_ROLE_ARN", writerARN)
		return b.srv.Fail(kinesistest.Fault{Op: "AssumeRoleWithWebIdentity", Do: kinesistest.Refuse(code)})
	}
}
