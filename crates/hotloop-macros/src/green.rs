//! `#[derive(Green)]`: every field must be green.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

pub fn expand(item: DeriveInput) -> TokenStream {
    let name = &item.ident;
    let fields: Vec<&syn::Type> = match &item.data {
        Data::Struct(data) => data.fields.iter().map(|field| &field.ty).collect(),
        Data::Enum(data) => {
            data.variants.iter().flat_map(|variant| variant.fields.iter().map(|field| &field.ty)).collect()
        }
        Data::Union(_) => Vec::new(),
    };
    quote! {
        impl ::hotloop::Green for #name where #(#fields: ::hotloop::Green,)* {}
    }
}
