// Package compute is what works for a study: the functions that decide, and the Batch
// queue whose jobs train.
package compute

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/supermax-hpo/supermax/infra/internal/nested"
	"github.com/supermax-hpo/supermax/infra/internal/settings"
	"github.com/supermax-hpo/supermax/infra/internal/storage"
)

// Props is what the stack is built from.
type Props struct {
	Settings settings.Settings
	Storage  storage.Storage
	Lambdas  string // folder that holds a folder for each function, with its bootstrap
	Root     string // of the repository, where the image is built
	Docker   bool   // an engine answers
}

// Compute is the nested stack.
type Compute struct {
	Functions   map[string]awslambda.Function // by name: Create, Plan, …
	Names       []string                      // of the functions, in the order of their use
	Queue       awsbatch.CfnJobQueue
	Job         awsbatch.CfnJobDefinition
	JobName     string  // its name: of all its revisions
	Image       *string // its URI
	DeadLetters awssqs.Queue
}

// New makes the stack.
func New(scope constructs.Construct, p Props) Compute {
	stack := nested.New(scope, "Compute", "Supermax: the functions and the GPU queue")
	c := Compute{Functions: make(map[string]awslambda.Function)}
	for _, f := range functions() {
		c.Functions[f.name] = newFunction(stack, f, p)
		c.Names = append(c.Names, f.name)
	}
	image := newImage(stack, p)
	c.Image = image.uri
	c.Queue = newQueue(stack, p.Settings)
	c.JobName = p.Settings.Name + "-slot"
	c.Job = newJob(stack, c.JobName, p, image, c.Functions)
	c.DeadLetters = onJobEvent(stack, c.Queue.AttrJobQueueArn(), c.Functions["OnJobEvent"])
	return c
}
