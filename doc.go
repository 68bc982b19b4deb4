// Package amazonkinesisexporter sends log records to Amazon Kinesis Data Streams.
package amazonkinesisexporter
