# As much of nixpkgs' lib as nix/*.nix use: modules with options, types that are checked, mkIf and
# mkMerge. The tests also take the real one, where NIXPKGS_LIB names it.
let
  inherit (builtins) all any attrNames concatLists concatMap elem elemAt filter foldl' genList
    hasAttr head isAttrs isBool isFunction isInt isList isString length listToAttrs map mapAttrs match
    removeAttrs replaceStrings stringLength substring tail;

  kind = value: if isAttrs value then value._type or null else null;
  mkIf = condition: content: { _type = "if"; inherit condition content; };

  # The conditions move inwards, so that an attribute's name is known before its condition is.
  push = value:
    if kind value == "merge" then concatMap push value.contents
    else if kind value == "if" then map (mapAttrs (_: mkIf value.condition)) (push value.content)
    else [ value ];
  discharge = value:
    if kind value == "merge" then concatMap discharge value.contents
    else if kind value == "if" then (if value.condition then discharge value.content else [ ])
    else [ value ];
  namesOf = sets: attrNames (foldl' (a: b: a // b) { } sets);
  at = name: sets: concatMap (set: if hasAttr name set then [ set.${name} ] else [ ]) sets;

  show = builtins.concatStringsSep ".";
  evaluate = where: option: values:
    let
      found = concatMap discharge values;
      wrong = filter (value: !option.type.check value) found;
      value =
        if wrong != [ ] then throw "The option `${show where}' is not of type `${option.type.name}'."
        else if found != [ ] then option.type.merge where found
        else option.default or (throw "The option `${show where}' is used but not defined.");
    in
    value;
  one = where: values:
    if all (value: value == head values) values then head values else throw "The option `${show where}' has conflicting values.";
  simple = name: check: { inherit name check; merge = one; };

  types = rec {
    unspecified = simple "unspecified" (_: true);
    bool = simple "boolean" isBool;
    str = simple "string" isString;
    lines = { name = "lines"; check = isString; merge = _: builtins.concatStringsSep "\n"; };
    path = simple "path" (value: substring 0 1 (toString value) == "/");
    package = simple "package" (value: isAttrs value || substring 0 11 value == "/nix/store/");
    ints.unsigned = simple "unsigned integer" (value: isInt value && value >= 0);
    ints.positive = simple "positive integer" (value: isInt value && value > 0);
    strMatching = pattern: simple "string matching ${pattern}" (value: isString value && match pattern value != null);
    nullOr = type: { inherit (type) name; check = value: value == null || type.check value; merge = one; };
    listOf = type: { name = "list of ${type.name}"; check = value: isList value && all type.check value; merge = _: concatLists; };
    attrsOf = type: {
      name = "set of ${type.name}";
      check = isAttrs;
      merge = where: sets:
        let pushed = concatMap push sets; in
        listToAttrs (concatMap (name:
          let values = concatMap discharge (at name pushed); in
          if values == [ ] then [ ] else [{ inherit name; value = evaluate (where ++ [ name ]) { inherit type; } values; }])
          (namesOf pushed));
    };
    submodule = module: {
      name = "submodule";
      check = value: isAttrs value || isFunction value;
      merge = where: values: (evalModules { inherit where; modules = [ module ] ++ values; }).config;
    };
    # What a NixOS option takes that these tests don't look into: sets are merged, lists joined.
    open = {
      name = "anything";
      check = _: true;
      merge = where: values: if all isAttrs values then (attrsOf open).merge where values else if any isList values then concatLists values else one where values;
    };
  };

  evalModules = { modules, specialArgs ? { }, where ? [ ] }:
    let
      load = module:
        let
          loaded = if isFunction module then module else if isAttrs module then _: module else import module;
          value = if isFunction loaded then loaded (specialArgs // { inherit lib config; name = elemAt where (length where - 1); }) else loaded;
        in
        concatMap load (value.imports or [ ])
        ++ [ (if value ? options || value ? config || value ? imports then value else { config = value; }) ];
      loaded = concatMap load modules;
      tree = place: declared: values:
        let
          pushed = concatMap push values;
          names = namesOf declared;
          unknown = filter (name: !elem name names) (namesOf pushed);
          inner = name: place ++ [ name ];
        in
        if unknown != [ ] then throw "The option `${show (inner (head unknown))}' does not exist."
        else listToAttrs (map (name:
          let here = at name declared; in {
            inherit name;
            value =
              if any (value: kind value == "option") here then evaluate (inner name) (head here) (at name pushed)
              else tree (inner name) here (at name pushed);
          }) names);
      config = tree where (map (module: module.options or { }) loaded) (map (module: module.config or { }) loaded);
    in
    { inherit config; };

  lib = {
    inherit types mkIf evalModules;
    mkOption = option: { _type = "option"; } // option;
    mkEnableOption = description: lib.mkOption { type = types.bool; default = false; inherit description; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    literalExpression = text: text;
    optionals = condition: list: if condition then list else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
    genAttrs = names: f: listToAttrs (map (name: { inherit name; value = f name; }) names);
    removePrefix = prefix: text:
      if substring 0 (stringLength prefix) text == prefix then substring (stringLength prefix) (-1) text else text;
    escapeShellArg = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
    escapeShellArgs = list: builtins.concatStringsSep " " (map lib.escapeShellArg list);
    licenses.asl20.spdxId = "Apache-2.0";
  };
in
lib
