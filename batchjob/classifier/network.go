package classifier

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// A Network is how a model's tasks hang together.
type Network int

// The networks. All their encoders start from the same checkpoint.
const (
	// Single is one encoder and one head for one task.
	Single Network = iota
	// Shared is one encoder with a head for each of two tasks, [Criteria] and [Evidence].
	Shared
	// Joint is an encoder and a head for each of the two. A row of Evidence is read by its own
	// encoder and head alone. A row of Criteria is read by both encoders; a [head.Gate] fuses
	// their pooled vectors, and the head of Criteria decides from the fused one. So what the
	// evidence encoder learns of sentences serves the posts, and the posts train it too.
	Joint
)

// The tasks of Shared and Joint, as [Batch].Task. That of Single is 0.
const (
	Criteria = 0
	Evidence = 1
)

// Tasks is how many tasks the network learns.
func (n Network) Tasks() int {
	if n == Single {
		return 1
	}
	return 2
}

// Encoders is how many encoders it has.
func (n Network) Encoders() int {
	if n == Joint {
		return 2
	}
	return 1
}

// prefix stands before the names of a task's own parameters.
func (n Network) prefix(task int) string {
	if n == Single {
		return ""
	}
	return []string{"criteria.", "evidence."}[task]
}

// task is what one task's rows go through.
type task struct {
	encoder *backbone.Encoder
	head    *head.Head
	salt    uint64 // tells the encoder's dropout from the other's
}

// evidenceSalt is that of a second encoder: the two have the same dropout sites.
const evidenceSalt = 0x65766964656e6365 // "evidence"

// build makes the encoders, heads and the gate, in the order of their parameters.
func (c *Classifier) build(s *tensor.Scope) (err error) {
	n := c.options.Network
	for i := range n.Tasks() {
		var t task
		switch {
		case i == 0 || n == Joint:
			prefix := ""
			if n == Joint {
				prefix = n.prefix(i)
			}
			if t.encoder, err = backbone.New(s, c.options.Weights, c.params, prefix+c.options.Weights.Config.Prefix()); err != nil {
				return err
			}
			t.salt = uint64(i) * evidenceSalt
		default:
			t.encoder = c.tasks[0].encoder
		}
		config := c.options.Head
		config.Prefix, config.Last = n.prefix(i), t.encoder.SummaryLast()
		if t.head, err = head.New(s, config, t.encoder.Hidden(), c.options.Seed, c.params); err != nil {
			return err
		}
		c.tasks = append(c.tasks, t)
	}
	if n == Joint {
		c.gate = head.NewGate(s, c.tasks[0].encoder.Hidden(), c.options.Seed, c.params, "gate.")
	}
	return nil
}

// A pass is a batch on its way through the model.
type pass struct {
	scope  *tensor.Scope
	batch  backbone.Batch
	rows   *tensor.Packed
	random *tensor.Randomness // nil: no dropout
	// recompute has the encoders keep what their layers read alone. Their parts of the backward
	// pass are collected in backward, for after the loss's own.
	recompute bool
	backward  []func()
}

// newPass begins with a batch; firstRow numbers its rows within the training step.
func (c *Classifier) newPass(s *tensor.Scope, b Batch, random *tensor.Randomness, firstRow int) *pass {
	return &pass{
		scope: s, batch: b.Batch, random: random, rows: s.Pack(b.Starts, random != nil, firstRow),
		recompute: random != nil && c.options.GradientCheckpointing,
	}
}

// logits runs the model on a task's batch.
func (c *Classifier) logits(p *pass, taskNumber int) tensor.T {
	t := c.tasks[taskNumber]
	pooled := t.pool(p)
	if c.gate != nil && taskNumber == Criteria {
		pooled = c.gate.Fuse(p.scope, pooled, c.tasks[Evidence].pool(p))
	}
	return t.head.Score(p.scope, pooled, p.rows, p.random, t.encoder.Sites())
}

// pool returns what the task's encoder makes of the rows, [rows, hidden].
func (t task) pool(p *pass) tensor.T {
	random := p.random
	if random != nil && t.salt != 0 {
		random = &tensor.Randomness{Seed: random.Seed ^ t.salt, Step: random.Step}
	}
	want := backbone.Tokens
	if t.head.ReadsSummaries() {
		want = backbone.Summaries
	}
	var states tensor.T
	if p.recompute {
		var backward func()
		states, backward = t.encoder.LastCheckpointed(p.scope, p.batch, p.rows, random, want)
		p.backward = append(p.backward, backward)
	} else {
		states = t.encoder.Last(p.scope, p.batch, p.rows, random, want)
	}
	if want == backbone.Summaries {
		return states
	}
	return t.head.Pool(p.scope, states, p.rows)
}

// checkTask reports that a batch is of no task of the network.
func (n Network) checkTask(task int) error {
	if task < 0 || task >= n.Tasks() {
		return fmt.Errorf("batch: task %d, there are %d", task, n.Tasks())
	}
	return nil
}
