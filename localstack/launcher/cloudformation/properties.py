"""A resource's properties as the request of the API call that makes it."""


def to_request(shape, properties, place: str = ""):
    """PropertyName becomes propertyName, and values get the types of the API's model:
    CloudFormation passes 1 and "1", true and "true" for each other. A property that the
    model does not know is an error, as on AWS."""
    kind = shape.type_name
    if kind == "structure":
        _expect(isinstance(properties, dict), place, properties, "an object")
        names = {name[:1].upper() + name[1:]: name for name in shape.members}
        request = {}
        for name, value in properties.items():
            if name not in names:
                raise ValueError(f"Encountered unsupported property {place + '.' if place else ''}{name}")
            if value is not None:
                request[names[name]] = to_request(shape.members[names[name]], value, _join(place, name))
        return request
    if kind == "list":
        _expect(isinstance(properties, list), place, properties, "a list")
        return [to_request(shape.member, value, f"{place}[{i}]") for i, value in enumerate(properties)]
    if kind == "map":
        _expect(isinstance(properties, dict), place, properties, "an object")
        return {name: to_request(shape.value, value, _join(place, name)) for name, value in properties.items()}
    if kind in ("integer", "long"):
        try:
            if float(properties).is_integer():
                return int(float(properties))
        except (TypeError, ValueError):
            pass
        _expect(False, place, properties, "a whole number")
    if kind == "boolean":
        text = str(properties).lower()
        _expect(text in ("true", "false"), place, properties, "true or false")
        return text == "true"
    _expect(isinstance(properties, (str, int, float)), place, properties, "a string")
    return str(properties).lower() if isinstance(properties, bool) else str(properties)


def _join(place, name):
    return f"{place}.{name}" if place else name


def _expect(holds, place, value, allowed):
    if not holds:
        raise ValueError(f"Property {place} has {value!r}; allowed is {allowed}")
