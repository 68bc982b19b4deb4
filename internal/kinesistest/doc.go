// SPDX-License-Identifier: Apache-2.0

// Package kinesistest is a Kinesis Data Streams and an STS in one process,
// for tests and for programs that try an exporter against faults. It speaks
// the real protocol over HTTP: signatures are checked, the limits of the
// service are kept, records go to shards by the MD5 of their key, and every
// answer has the shape, the status and the words of the real one.
//
//	srv := kinesistest.New(t, kinesistest.Config{Stream: "logs", Shards: 4})
//	client := kinesis.New(kinesis.Options{
//		Region:       srv.Region(),
//		BaseEndpoint: aws.String(srv.URL()),
//		Credentials:  credentials.NewStaticCredentialsProvider(srv.Credentials().Static()),
//		HTTPClient:   srv.Client(), // any client will do for a loopback server without TLS
//	})
//
// A program without a testing.TB calls [Start] and [Server.Close].
//
// # What was taken
//
// [Server.Stream] gives the stream's ledger: the records in order, shard by
// shard ([Stream.Records]), what is missing or there twice ([Stream.Tally]),
// what overtook what ([Stream.Disorder]). Config.ID says how to find a record's
// identity in its data. [Server.Stats] and [Server.Calls] say what was asked.
//
// # Faults
//
// A [Fault] says which calls or entries are struck, how often and for how long,
// and what becomes of them. It works from [Server.Fail] on until it is used up,
// its time is over, or it is removed:
//
//	remove := srv.Fail(kinesistest.Fault{Share: 0.05, Seed: 1, Do: kinesistest.FailEntry("InternalFailure")})
//	srv.Fail(kinesistest.Fault{Times: 3, Do: kinesistest.Refuse("KMSThrottlingException")})
//	srv.Fail(kinesistest.Fault{For: time.Minute, Do: kinesistest.Refuse("ExpiredTokenException")})
//	srv.Fail(kinesistest.Fault{If: func(c kinesistest.Call) bool { return c.N == 7 }, Do: kinesistest.Lose()})
//	srv.Fail(kinesistest.Fault{IfEntry: isPoison, Do: kinesistest.Refuse("InvalidArgumentException")})
//	srv.Fail(kinesistest.Fault{Op: "GetCallerIdentity", Do: kinesistest.Refuse("InvalidClientTokenId")})
//	remove()
//
// [Server.Down] takes the whole endpoint off the net, [Server.Up] brings it back.
//
// # Simulated time
//
// In a testing/synctest bubble use Config.InMemory: its connections are pipes,
// which block durably, where real loopback I/O does not. All clocks of the
// server are time.Now of the bubble. Hand [Server.DialContext] or
// [Server.Client] to whoever shall reach it.
//
// # Beside it
//
// [InstanceMetadata] and [ContainerCredentials] are the credential endpoints of
// EC2 and of ECS and EKS; [ConnectProxy] leads every host name to the server, so
// that the SDK's own endpoints can be used in a test.
package kinesistest
