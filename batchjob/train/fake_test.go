package train

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/optim"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// fakeModel computes nothing: it records what it was asked and answers by script.
type fakeModel struct {
	rows     int               // held-out rows, to know when a measurement is complete
	accuracy []float64         // share of rows answered right, by measurement; the last repeats
	train    func(n int) error // called before each step with its number since the start
	predict  func() ([]float32, error)
	openErr  error

	opened   []classifier.Options
	steps    []classifier.Step
	measured int // rows of the measurement in hand
	round    int // complete measurements
	weight   float32
	closed   int
}

func (m *fakeModel) Train(s classifier.Step) (classifier.StepResult, error) {
	if m.train != nil {
		if err := m.train(len(m.steps)); err != nil {
			return classifier.StepResult{}, err
		}
	}
	m.steps = append(m.steps, s)
	m.weight++
	return classifier.StepResult{Loss: float64(len(m.steps))}, nil
}

func (m *fakeModel) Predict(b classifier.Batch) (classifier.Prediction, error) {
	if m.predict != nil {
		logits, err := m.predict()
		return classifier.Prediction{Logits: logits}, err
	}
	right := m.accuracy[min(m.round, len(m.accuracy)-1)]
	var logits []float32
	for _, y := range b.Labels {
		z := float32(2*y - 1)
		if float64(m.measured) >= right*float64(m.rows) {
			z = -z
		}
		logits = append(logits, 0, z)
		m.measured++
	}
	if m.measured == m.rows {
		m.measured, m.round = 0, m.round+1
	}
	return classifier.Prediction{Logits: logits}, nil
}

func (m *fakeModel) Parameters() ([]tensor.Array, error) {
	return []tensor.Array{{Name: "w", Shape: []int{1}, Data: []float32{m.weight}}}, nil
}

func (m *fakeModel) SetParameters(a []tensor.Array) error {
	if len(a) != 1 || a[0].Name != "w" {
		return fmt.Errorf("not this model's parameters")
	}
	m.weight = a[0].Data[0]
	return nil
}

func (m *fakeModel) OptimizerState() ([]optim.ParamState, error) {
	return []optim.ParamState{{Name: "w", Step: int64(m.weight), M: []float32{1}, V: []float32{2}}}, nil
}

func (m *fakeModel) SetOptimizerState(s []optim.ParamState) error {
	if len(s) != 1 || s[0].Step != int64(m.weight) {
		return fmt.Errorf("not this model's optimizer state: %+v", s)
	}
	return nil
}

func (m *fakeModel) Close() { m.closed++ }
