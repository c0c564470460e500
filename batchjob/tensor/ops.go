package tensor

import lib "github.com/sugarme/gotch/libtch"

// Embedding returns weight's rows at the indices; weight is [rows, columns], indices are
// int64 of any shape. Its gradient is dense.
func (s *Scope) Embedding(weight, indices T) T {
	lib.AtgEmbedding(s.slot(), weight.c, indices.c, -1, 0, 0)
	return s.take("embedding")
}

// EmbeddingBut is [Scope.Embedding], but the row padding of weight gets no gradient.
func (s *Scope) EmbeddingBut(weight, indices T, padding int) T {
	lib.AtgEmbedding(s.slot(), weight.c, indices.c, int64(padding), 0, 0)
	return s.take("embedding")
}

// LayerNorm normalises over the last dimension of size n (Ba, Kiros and Hinton 2016).
func (s *Scope) LayerNorm(x, weight, bias T, n int, eps float64) T {
	lib.AtgLayerNorm(s.slot(), x.c, []int64{int64(n)}, 1, weight.c, bias.c, eps, 0)
	return s.take("layer norm")
}

// Add returns a + b with broadcasting.
func (s *Scope) Add(a, b T) T {
	lib.AtgAdd(s.slot(), a.c, b.c)
	return s.take("add")
}

// Mul returns a · b element by element with broadcasting.
func (s *Scope) Mul(a, b T) T {
	lib.AtgMul(s.slot(), a.c, b.c)
	return s.take("multiply")
}

// Scale returns factor · x.
func (s *Scope) Scale(x T, factor float64) T {
	f := lib.AtsFloat(factor)
	defer lib.AtsFree(f)
	lib.AtgMulScalar(s.slot(), x.c, f)
	return s.take("scale")
}

// MatMul multiplies matrices, batched over leading dimensions.
func (s *Scope) MatMul(a, b T) T {
	lib.AtgMatmul(s.slot(), a.c, b.c)
	return s.take("matrix product")
}

// Transpose swaps two dimensions.
func (s *Scope) Transpose(x T, i, j int) T {
	lib.AtgTranspose(s.slot(), x.c, int64(i), int64(j))
	return s.take("transpose")
}

// Reshape returns x in another shape of as many elements.
func (s *Scope) Reshape(x T, shape ...int) T {
	lib.AtgReshape(s.slot(), x.c, toInt64(shape), len(shape))
	return s.take("reshape")
}

// Rows returns the rows of x at the int64 indices [n].
func (s *Scope) Rows(x, indices T) T {
	lib.AtgIndexSelect(s.slot(), x.c, 0, indices.c)
	return s.take("select rows")
}

// Softmax normalises exp(x) over a dimension.
func (s *Scope) Softmax(x T, dim int) T {
	lib.AtgSoftmax(s.slot(), x.c, int64(dim), float32Kind)
	return s.take("softmax")
}

// Max returns the largest element over a dimension; the gradient goes to it alone.
func (s *Scope) Max(x T, dim int) T {
	lib.AtgMaxDim(s.slot(), x.c, int64(dim), 0)
	t := s.take("maximum")
	s.own(s.out[1]) // where it stands
	return t
}

// Sum adds all elements.
func (s *Scope) Sum(x T) T {
	lib.AtgSum(s.slot(), x.c, float32Kind)
	return s.take("sum")
}

// Tanh is the hyperbolic tangent.
func (s *Scope) Tanh(x T) T {
	lib.AtgTanh(s.slot(), x.c)
	return s.take("tanh")
}

// ReLU is max(x, 0).
func (s *Scope) ReLU(x T) T {
	lib.AtgRelu(s.slot(), x.c)
	return s.take("relu")
}

// SiLU is x · sigmoid(x), also called swish.
func (s *Scope) SiLU(x T) T {
	lib.AtgSilu(s.slot(), x.c)
	return s.take("silu")
}

// Sigmoid is 1 / (1 + exp(-x)).
func (s *Scope) Sigmoid(x T) T {
	lib.AtgSigmoid(s.slot(), x.c)
	return s.take("sigmoid")
}

// Gather takes from x, along the last dimension, the elements at the int64 indices, which have
// as many dimensions; index is broadcast over x's others, which shape names.
func (s *Scope) Gather(x, index T, shape ...int) T {
	lib.AtgExpand(s.slot(), index.c, toInt64(shape), len(shape), 0)
	spread := s.take("expand indices")
	lib.AtgGather(s.slot(), x.c, int64(len(shape)-1), spread.c, 0)
	return s.take("gather")
}

// Concat joins tensors along a dimension.
func (s *Scope) Concat(dim int, list ...T) T {
	handles := make([]lib.Ctensor, len(list))
	for i, t := range list {
		handles[i] = t.c
	}
	lib.AtgCat(s.slot(), handles, len(handles), int64(dim))
	return s.take("concatenate")
}

// Conv1D convolves x [rows, channels, length] with weight [out, channels/groups, kernel], whose
// kernel is odd, and zeros beyond the ends: [rows, out, length]. bias is [out] or none.
func (s *Scope) Conv1D(x, weight, bias T, groups int) T {
	one, around := []int64{1}, []int64{int64(weight.Shape()[2] / 2)}
	lib.AtgConv1d(s.slot(), x.c, weight.c, bias.c, one, 1, around, 1, one, 1, int64(groups))
	return s.take("convolution")
}

// Windows returns the windows of an odd width around every place of x [rows, length, columns],
// with zeros beyond the ends: [rows, length, columns, width].
func (s *Scope) Windows(x T, width int) T {
	lib.AtgConstantPadNd(s.slot(), x.c, []int64{0, 0, int64(width / 2), int64(width / 2)}, 4)
	padded := s.take("pad")
	lib.AtgUnfold(s.slot(), padded.c, 1, int64(width), 1)
	return s.take("windows")
}

// CrossEntropy is the mean loss of logits [n, classes] for int64 targets [n]. weight is
// one value a class or none; the mean is weighted too. smoothing in [0, 1] mixes the
// target with the uniform distribution (Szegedy et al. 2016).
func (s *Scope) CrossEntropy(logits, targets, weight T, smoothing float64) T {
	const mean, ignoreIndex = 1, -100
	lib.AtgCrossEntropyLoss(s.slot(), logits.c, targets.c, weight.c, mean, ignoreIndex, smoothing)
	return s.take("cross entropy")
}
