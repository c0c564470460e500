package classifier

import (
	"math/rand/v2"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// tinyOf is the configuration of a very small model of any type.
func tinyOf(modelType string) pretrained.Config {
	c := pretrained.Default(modelType)
	c.VocabSize, c.HiddenSize, c.EmbeddingSize, c.NumHiddenLayers, c.NumAttentionHeads = 100, 16, 16, 1, 2
	c.IntermediateSize, c.InitializerRange = 32, 0.1
	if c.MaxPositionEmbeddings > 0 {
		c.MaxPositionEmbeddings = 32
	}
	return c
}

// The loss on 64 examples falls to half for every architecture, network and pooling.
// The agents criteria and evidence are both the network Single, on other rows.
func TestEveryArchitectureOverfits(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	for _, modelType := range pretrained.ModelTypes() {
		for _, network := range []Network{Single, Shared, Joint} {
			for _, pooling := range head.Poolings {
				name := modelType + "/" + []string{"single", "share", "joint"}[network] + "/" + pooling
				t.Run(name, func(t *testing.T) {
					w := modeltest.Worker(t, tensor.Kernels)
					c := newTiny(t, w, func(o *Options) {
						o.Weights = modeltest.BERT(t, tinyOf(modelType))
						o.Network, o.Head.Pooling, o.Head.Dropout, o.MaxGradNorm = network, pooling, 0, 0
					})
					rng := rand.New(rand.NewPCG(1, 2))
					var batches [][]Batch // each step's, of every task
					for range 4 {
						var step []Batch
						for task := range network.Tasks() {
							step = append(step, taskBatch(rng, task, 16, 8))
						}
						batches = append(batches, step)
					}
					loss := func() (sum float64) {
						for _, step := range batches {
							for _, b := range step {
								p, err := c.Predict(b)
								if err != nil {
									t.Fatal(err)
								}
								sum += p.Loss
							}
						}
						return sum
					}
					before, after := loss(), 0.0
					for step := range 60 {
						train(t, c, step, batches[step%4]...)
						if step%8 == 7 {
							if after = loss(); after < before/2 {
								return
							}
						}
					}
					t.Errorf("the loss went from %.3f to %.3f", before, after)
				})
			}
		}
	}
}
