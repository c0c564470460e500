package cloud

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/supermax-hpo/supermax/shared/pause"
)

type versionAPI interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

type itemAPI interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
}

// count counts the versions of the objects below a prefix.
func (a *Account) count(ctx context.Context, bucket, prefix string) (int, error) {
	return a.versionsBelow(ctx, bucket, prefix, func([]s3types.ObjectIdentifier) error { return nil })
}

// erase removes every version of the objects below a prefix, and the marks of those that
// were deleted. What is gone cannot be brought back.
func (a *Account) erase(ctx context.Context, bucket, prefix string) (int, error) {
	return a.versionsBelow(ctx, bucket, prefix, func(page []s3types.ObjectIdentifier) error {
		out, err := a.versions.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &s3types.Delete{Objects: page, Quiet: aws.Bool(true)}})
		if err != nil {
			return explain("remove objects of "+bucket, err)
		}
		if len(out.Errors) > 0 {
			e := out.Errors[0]
			return fmt.Errorf("remove objects of %s: %d are not gone: %s: %s: %s", bucket, len(out.Errors), aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
		}
		return nil
	})
}

// versionsBelow calls do with each page of at most 1,000 versions, and counts what it did.
func (a *Account) versionsBelow(ctx context.Context, bucket, prefix string, do func([]s3types.ObjectIdentifier) error) (n int, err error) {
	in := &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &prefix}
	for {
		page, err := a.versions.ListObjectVersions(ctx, in)
		if err != nil {
			return n, explain("list the objects of "+bucket, err)
		}
		var ids []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(ids) > 0 {
			if err := do(ids); err != nil {
				return n, err
			}
			n += len(ids)
		}
		if !aws.ToBool(page.IsTruncated) {
			return n, nil
		}
		in.KeyMarker, in.VersionIdMarker = page.NextKeyMarker, page.NextVersionIdMarker
	}
}

// eraseItems removes every item of the table.
func (a *Account) eraseItems(ctx context.Context) (n int, err error) {
	const most = 25 // that one call writes
	scan := &dynamodb.ScanInput{TableName: &a.Stack.Table, ProjectionExpression: aws.String("pk, sk"), ConsistentRead: aws.Bool(true)}
	for {
		page, err := a.items.Scan(ctx, scan)
		if err != nil {
			return n, explain("read the table", err)
		}
		for len(page.Items) > 0 {
			some := page.Items[:min(most, len(page.Items))]
			page.Items = page.Items[len(some):]
			if err := a.eraseSome(ctx, some); err != nil {
				return n, err
			}
			n += len(some)
		}
		if scan.ExclusiveStartKey = page.LastEvaluatedKey; scan.ExclusiveStartKey == nil {
			return n, nil
		}
	}
}

// eraseSome removes items, and again those that the table was too busy for.
func (a *Account) eraseSome(ctx context.Context, keys []map[string]dynamotypes.AttributeValue) error {
	var writes []dynamotypes.WriteRequest
	for _, key := range keys {
		writes = append(writes, dynamotypes.WriteRequest{DeleteRequest: &dynamotypes.DeleteRequest{Key: key}})
	}
	for wait := 50 * time.Millisecond; len(writes) > 0; wait = min(2*wait, 5*time.Second) {
		out, err := a.items.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamotypes.WriteRequest{a.Stack.Table: writes}})
		if err != nil {
			return explain("remove the table's items", err)
		}
		if writes = out.UnprocessedItems[a.Stack.Table]; len(writes) > 0 {
			if err := pause.For(ctx, wait); err != nil {
				return err
			}
		}
	}
	return nil
}
