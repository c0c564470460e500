// Package cloud is the AWS home of a study: it reads states from DynamoDB and objects from
// S3, and starts, follows and stops executions of the state machine. Only the functions
// write the state of studies; [Account.Delete] and [Account.Purge], which a person asks for
// when nothing runs, are the exception.
package cloud

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/awscall"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
)

// DefaultStack is the stack's name unless cdk deploy was given another.
const DefaultStack = "Supermax"

// An Account is a deployed stack, with what it takes to call it. Use [Open] to get one;
// its methods may be called from many goroutines at once.
type Account struct {
	Stack  Stack
	Region string

	service *handler.Service // only to read states
	state   stateRemover
	results bucketOpener
	data    bucketOpener
	clock   func() time.Time
	poll    time.Duration // between two looks at what is under way
	pause   time.Duration // before a call is repeated

	athena   queryRunner
	batch    batchAPI
	images   imageDescriber
	items    itemAPI
	invoke   awscall.Invoker
	quotas   quotaLister
	versions versionAPI
	steps    executionAPI
}

// What the clients of the services are used for, each beside the code that calls it.
type (
	batchAPI interface {
		environmentDescriber
		jobLister
		jobTerminator
	}
	executionAPI interface {
		executionStarter
		executionLister
		executionStopper
	}
)

// A bucketOpener opens one of the stack's buckets; the caller closes it.
type bucketOpener func(context.Context) (*objects.Bucket, error)

// Open finds the stack of that name with the credentials and the region of the
// environment. What a person can mend is a mistake: no region, no credentials, no stack.
func Open(ctx context.Context, stack string) (*Account, error) {
	cfg, err := awscall.Config(ctx)
	if err != nil {
		return nil, mistake.Wrap(err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, mistake.Errorf("there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with aws sso login (%w)", last(err))
	}
	found, err := findStack(ctx, cloudformation.NewFromConfig(cfg), stack)
	if err != nil {
		return nil, err
	}
	return newAccount(cfg, found), nil
}

// ResultsURL is where the results of the stack's studies are, for [objects.Open].
func (a *Account) ResultsURL() string { return bucketURL(a.Stack.Results) }

func bucketURL(name string) string { return "s3://" + name }

func newAccount(cfg aws.Config, stack Stack) *Account {
	table := dynamodb.NewFromConfig(cfg)
	log := dynamo.Open(table, stack.Table)
	opener := func(bucket string) bucketOpener {
		return func(ctx context.Context) (*objects.Bucket, error) { return objects.Open(ctx, bucketURL(bucket)) }
	}
	return &Account{
		Stack: stack, Region: cfg.Region,
		service: &handler.Service{Log: log, Clock: time.Now}, state: log,
		results: opener(stack.Results), data: opener(stack.Data),
		clock: time.Now, poll: 5 * time.Second, pause: time.Second,
		athena: athena.NewFromConfig(cfg), batch: batch.NewFromConfig(cfg), images: ecr.NewFromConfig(cfg),
		items: table, invoke: lambda.NewFromConfig(cfg), quotas: servicequotas.NewFromConfig(cfg),
		versions: awscall.S3(cfg), steps: sfn.NewFromConfig(cfg),
	}
}
