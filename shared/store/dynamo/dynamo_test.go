package dynamo

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/store/storetest"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (one, another store.Log) {
		f := newFake(t)
		return f.open(), f.open()
	})
	storetest.RunMailbox(t, func(t *testing.T) (one, another store.Mailbox) {
		f := newFake(t)
		return f.open(), f.open()
	})
}

// Pages of one item tear every read that can be torn.
func TestConformanceByPages(t *testing.T) {
	open := func(t *testing.T) (one, another store.Mailbox) {
		f := newFake(t)
		f.page = 1
		return f.open(), f.open()
	}
	storetest.Run(t, func(t *testing.T) (store.Log, store.Log) { return open(t) })
	storetest.RunMailbox(t, open)
}

// The same over a real DynamoDB, or what stands in for it.
func TestConformanceEmulator(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	open := func(t *testing.T) (one, another store.Mailbox) {
		client, table := newTable(t)
		return Open(client, table), Open(client, table)
	}
	storetest.Run(t, func(t *testing.T) (store.Log, store.Log) { return open(t) })
	storetest.RunMailbox(t, open)
}

// newTable makes a table that is deleted when the test ends.
func newTable(t testing.TB) (*dynamodb.Client, string) {
	t.Helper()
	client := dynamodb.NewFromConfig(emulator.Config(t))
	name := "store-test-" + rand.Text()[:10]
	if _, err := client.CreateTable(t.Context(), TableInput(name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Errorf("delete table %s: %v", name, err)
		}
	})
	wait := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := wait.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return client, name
}
