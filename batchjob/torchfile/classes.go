package torchfile

import (
	"math"

	"github.com/supermax-hpo/supermax/batchjob/safetensors"
)

// storageTypes are the classes of typed storages and their elements' types.
var storageTypes = map[class]safetensors.DType{
	"torch.FloatStorage": safetensors.F32, "torch.DoubleStorage": safetensors.F64,
	"torch.HalfStorage": safetensors.F16, "torch.BFloat16Storage": safetensors.BF16,
	"torch.LongStorage": safetensors.I64, "torch.IntStorage": safetensors.I32,
	"torch.ShortStorage": "I16", "torch.CharStorage": "I8", "torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL",
}

// The functions that a state dict's pickle names. What they do is written here; theirs is
// never called.
const (
	orderedDict      class = "collections.OrderedDict"
	rebuildTensor    class = "torch._utils._rebuild_tensor"
	rebuildTensorV2  class = "torch._utils._rebuild_tensor_v2"
	rebuildParameter class = "torch._utils._rebuild_parameter"
)

func allowed(c class) bool {
	switch c {
	case orderedDict, rebuildTensor, rebuildTensorV2, rebuildParameter:
		return true
	}
	_, ok := storageTypes[c]
	return ok
}

// reduce makes the value that a class and its arguments stand for.
func (m *machine) reduce() error {
	values, err := m.operands(false, 2)
	if err != nil {
		return err
	}
	c, isClass := values[0].(class)
	args, isTuple := values[1].(tuple)
	if !isClass || !isTuple {
		return m.fail("something is made of what is no class or no arguments; the file is damaged")
	}
	switch c {
	case orderedDict:
		return m.ordered(args)
	case rebuildTensor, rebuildTensorV2:
		return m.tensor(args)
	case rebuildParameter: // (tensor, requires_grad, hooks)
		if len(args) == 3 {
			if t, ok := args[0].(*Tensor); ok {
				return m.push(t)
			}
		}
	}
	return m.fail("%s has other arguments than in a state dict", string(c))
}

// ordered makes an OrderedDict: empty, or as Python 2 wrote it, of a list of pairs.
func (m *machine) ordered(args tuple) error {
	d := &dict{values: map[string]any{}}
	if len(args) == 0 {
		return m.push(d)
	}
	pairs, ok := args[0].(*list)
	if !ok || len(args) > 1 {
		return m.fail("%s has other arguments than in a state dict", orderedDict)
	}
	for _, item := range pairs.items {
		pair, ok := item.(*list)
		if !ok || len(pair.items) != 2 {
			return m.fail("%s has other arguments than in a state dict", orderedDict)
		}
		if err := m.put(d, pair.items[0], pair.items[1]); err != nil {
			return err
		}
	}
	return m.push(d)
}

// tensor makes a tensor of (storage, offset, shape, strides, …). Gradients and hooks, which
// follow, mean nothing here.
func (m *machine) tensor(args tuple) error {
	if len(args) < 4 || len(args) > 7 {
		return m.fail("a tensor is made of %d arguments; allowed: 4 to 7", len(args))
	}
	s, ok := args[0].(*storage)
	offset, isInt := args[1].(int64)
	shape, err1 := m.sizes(args[2])
	strides, err2 := m.sizes(args[3])
	if !ok || !isInt || err1 != nil || err2 != nil {
		return m.fail("a tensor is not made of a storage, an offset, a shape and strides")
	}
	t := &Tensor{DType: s.dtype, Shape: shape, strides: strides, storage: s}
	if offset < 0 || offset > math.MaxInt {
		return m.fail("a tensor begins at element %d", offset)
	}
	t.offset = int(offset)
	if err := t.fit(); err != nil {
		return m.fail("a tensor is wrong: %v", err)
	}
	return m.push(t)
}

// sizes reads a tuple of whole numbers.
func (m *machine) sizes(v any) ([]int, error) {
	items, ok := v.(tuple)
	if !ok {
		return nil, m.fail("a shape is no tuple")
	}
	out := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok || n < math.MinInt || n > math.MaxInt {
			return nil, m.fail("a shape holds what is no size")
		}
		out[i] = int(n)
	}
	return out, nil
}

// build gives an OrderedDict its attributes (a module's versions), which say nothing about
// the tensors.
func (m *machine) build() error {
	values, err := m.operands(false, 2)
	if err != nil {
		return err
	}
	d, ok := values[0].(*dict)
	if _, state := values[1].(*dict); !ok || !state {
		return m.fail("attributes are set on what is no dict; it is refused")
	}
	return m.push(d)
}

// persistent makes a storage of ("storage", class, key, device, elements[, view]).
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	id, ok := v.(tuple)
	if !ok || len(id) < 5 || len(id) > 6 || id[0] != "storage" {
		return m.fail("it refers to something that is no storage of PyTorch")
	}
	c, isClass := id[1].(class)
	key, isText := id[2].(string)
	count, isInt := id[4].(int64)
	dtype, known := storageTypes[c]
	if !isClass || !isText || !isInt || !known || m.storages == nil {
		return m.fail("it refers to something that is no storage of PyTorch")
	}
	if len(id) == 6 && id[5] != nil {
		return m.fail("the storage %.40q is a view of another, as before PyTorch 0.4; save the file again with a later one", key)
	}
	if count < 0 || count > math.MaxInt/8 {
		return m.fail("the storage %.40q has %d elements", key, count)
	}
	if s, again := m.storages[key]; again {
		if s.dtype != dtype || s.count != int(count) {
			return m.fail("the storage %.40q is described in two ways", key)
		}
		return m.push(s)
	}
	s := &storage{key: key, dtype: dtype, count: int(count)}
	if m.attach != nil {
		if err := m.attach(s); err != nil {
			return err
		}
	}
	m.storages[key] = s
	return m.push(s)
}

// entries names the tensors of a state dict.
func entries(value any) ([]*Tensor, error) {
	d, ok := value.(*dict)
	if !ok {
		return nil, bad("it holds something else than a dict of tensors")
	}
	tensors := make([]*Tensor, len(d.keys))
	for i, name := range d.keys {
		t, ok := d.values[name].(*Tensor)
		if !ok {
			return nil, bad("its entry %.100q is not a tensor; only plain state dicts are read", name)
		}
		named := *t
		named.Name = name
		tensors[i] = &named
	}
	return tensors, nil
}
