//! `#[look_inside_iff(predicate)]`: a function over red values of any mode that is traced if the predicate
//! holds, else called as a residual function (its instance for concrete values).

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Error, FnArg, GenericParam, ItemFn, Pat, Path, Result, ReturnType, Token};

use crate::residual;

/// `predicate`, or `predicate, effect`.
struct Options {
    predicate: Path,
    effect: Option<Ident>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Options> {
        let predicate = input.parse()?;
        let comma: Option<Token![,]> = input.parse()?;
        let effect = comma.map(|_| input.parse()).transpose()?;
        Ok(Options { predicate, effect })
    }
}

pub fn expand(options: TokenStream, item: ItemFn) -> Result<TokenStream> {
    let Options { predicate, effect } = syn::parse2(options)?;
    let signature = &item.sig;
    let mode = match signature.generics.params.iter().collect::<Vec<_>>()[..] {
        [GenericParam::Type(mode)] => mode.ident.to_string(),
        _ => {
            return Err(Error::new_spanned(
                signature,
                "the function is generic over the mode: `fn name<M: Mode>(…)`",
            ));
        }
    };
    let (name, vis, block, attributes) = (&signature.ident, &item.vis, &item.block, &item.attrs);
    let (generics, inputs, output) = (&signature.generics, &signature.inputs, &signature.output);
    let mut names = Vec::new();
    for argument in inputs {
        match argument {
            FnArg::Typed(argument) if matches!(argument.pat.as_ref(), Pat::Ident(_)) => {
                names.push(&argument.pat);
            }
            _ => return Err(Error::new_spanned(argument, "a parameter is a name with a type")),
        }
    }
    let called = format_ident!("{name}_called");
    let plain = |tokens: TokenStream| residual::renamed(tokens, &mode, "Plain");
    let (plain_inputs, plain_output) = (plain(quote!(#inputs)), plain(quote!(#output)));
    let (mode, path) = (format_ident!("{mode}"), quote!(inside__));
    let function: ItemFn = syn::parse2(quote! {
        fn #called(#plain_inputs) #plain_output { #path::<Plain>(#(#names),*) }
    })?;
    let residual = residual::expand(residual::Kind::Residual, quote!(#effect), function)?;
    let result = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    Ok(quote! {
        #(#attributes)*
        #[inline]
        #vis fn #name #generics(#inputs) -> #result {
            use ::hotloop::Plain;

            fn inside__ #generics(#inputs) -> #result #block

            #residual

            if !::hotloop::we_are_jitted::<#mode>() || #predicate::<#mode>(#(#names),*) {
                inside__::<#mode>(#(#names),*)
            } else {
                #called::<#mode>(#(#names),*)
            }
        }
    })
}
